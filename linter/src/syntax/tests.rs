//! Cases for what is read from one function: data in, one line an access or release out.

use super::counts::{CountOp, accesses};
use super::idioms::{Wrapper, releases, wrapper};
use super::parse;

#[track_caller]
fn check_accesses(function: &str, expected: &[&str]) {
    let tree = parse(function.as_bytes()).expect("the cases are small");
    let found: Vec<String> = accesses(tree.root_node(), function.as_bytes())
        .iter()
        .map(|it| {
            let mut line = format!("{:?} {} {}", it.op, it.form, it.inode);
            for (mark, is_set) in [
                (" raw", it.raw),
                (" locked", it.locked),
                (" after-drop", it.after_drop.is_some()),
                (" handed-over", it.handed_over),
            ] {
                if is_set {
                    line.push_str(mark);
                }
            }
            line
        })
        .collect();
    assert_eq!(found, expected, "input: {function}");
}

#[track_caller]
fn check_releases(function: &str, expected: &[&str]) {
    let tree = parse(function.as_bytes()).expect("the cases are small");
    let found: Vec<String> = releases(tree.root_node(), function.as_bytes(), &[("iput", 0)])
        .iter()
        .map(|it| {
            let mut line = it.inode.clone();
            if it.under_i_lock {
                line.push_str(" under-i_lock");
            }
            if let Some(reason) = &it.not_last {
                line += " not-last: ";
                line += reason;
            }
            if let Some(label) = &it.error_label {
                line += " behind ";
                line += label;
            }
            line
        })
        .collect();
    assert_eq!(found, expected, "input: {function}");
}

#[track_caller]
fn check_wrapper(function: &str, expected: Option<&Wrapper>) {
    let tree = parse(function.as_bytes()).expect("the cases are small");
    let found = wrapper(tree.root_node(), function.as_bytes());
    assert_eq!(found.as_ref(), expected, "input: {function}");
}

#[test]
fn operations_are_told_apart() {
    check_accesses(
        "void f(struct inode *a) { if (atomic_read(&a->i_count) > 1) atomic_inc(&a->i_count); }",
        &["Read atomic_read a", "Grab atomic_inc a"],
    );
    check_accesses(
        "void f(struct inode *a) { atomic_add_unless(&a->i_count, -1, 1); atomic_add_unless(&a->i_count, 1, 0); }",
        &[
            "DropUnlessLast atomic_add_unless a",
            "GrabUnless atomic_add_unless a",
        ],
    );
    check_accesses(
        "void f(struct inode *a) { atomic_add(-2, &a->i_count); refcount_dec(&a->i_count); atomic_xchg(&a->i_count, 4); }",
        &[
            "Drop atomic_add a",
            "Drop refcount_dec a",
            "Exchange atomic_xchg a",
        ],
    );
    check_accesses(
        "void f(struct inode *a) { if (atomic_dec_and_lock(&a->i_count, &a->i_lock)) { spin_unlock(&a->i_lock); } }",
        &["DropAndLock atomic_dec_and_lock a"],
    );
}

#[test]
fn ways_around_the_api_are_raw() {
    check_accesses(
        "int f(struct inode *a) { a->i_count.counter--; return READ_ONCE(a->i_count.counter); }",
        &["Drop -- a raw", "Read .counter a raw"],
    );
    check_accesses(
        "void f(struct inode *a) { a->i_count++; arch_atomic_dec(&a->i_count); look(&a->i_count); }",
        &[
            "Grab ++ a raw",
            "Drop arch_atomic_dec a raw",
            "Escape look a raw",
        ],
    );
}

#[test]
fn expressions_of_the_inode_are_kept() {
    check_accesses(
        "void f(struct my_inode *m) { atomic_inc(&VFS_I(m)->i_count); atomic_inc(&(&m->netfs.inode)->i_count); atomic_inc(&m->vfs.i_count); }",
        &[
            "Grab atomic_inc VFS_I(m)",
            "Grab atomic_inc m->netfs.inode",
            "Grab atomic_inc m->vfs",
        ],
    );
}

#[test]
fn members_of_other_structs_are_not_ours() {
    check_accesses(
        "void f(struct stream *s) { s->i_count++; cnt = &s->i_count; atomic_inc(&s->i_count); look(&s->i_count); }",
        &[],
    );
    check_accesses("int f(int i_count) { return i_count++; }", &[]);
    check_accesses(
        "void f(void) { le16_to_cpu(dirh->i_count); dirh->i_count = 3; }",
        &[],
    );
}

#[test]
fn a_local_pointer_to_the_counter_is_followed() {
    check_accesses(
        "void f(struct inode *a) { atomic_t *c = &a->i_count; atomic_dec(c); }",
        &["Drop atomic_dec a"],
    );
}

#[test]
fn setting_back_after_a_drop_is_seen_on_the_way_that_does_it() {
    check_accesses(
        "void f(struct inode *a, int n) { if (likely(atomic_sub_return(n, &a->i_count) > 0)) return; \
         atomic_set(&a->i_count, 1); queue_work(q, &w(a)->work); }",
        &[
            "Drop atomic_sub_return a handed-over",
            "Set atomic_set a after-drop handed-over",
        ],
    );
    check_accesses(
        "void f(struct inode *a) { if (atomic_sub_return(1, &a->i_count) <= 0) { gone(); return; } atomic_inc(&a->i_count); }",
        &["Drop atomic_sub_return a", "Grab atomic_inc a"],
    );
    check_accesses(
        "void f(struct inode *a) { if (!atomic_dec_and_test(&a->i_count)) return; atomic_inc(&a->i_count); }",
        &["Drop atomic_dec_and_test a", "Grab atomic_inc a after-drop"],
    );
    check_accesses(
        "void f(struct inode *a) { if (atomic_add_unless(&a->i_count, -1, 1)) return; atomic_set(&a->i_count, 1); }",
        &[
            "DropUnlessLast atomic_add_unless a",
            "Set atomic_set a after-drop",
        ],
    );
    check_accesses(
        "void f(struct inode *a) { atomic_dec(&a->i_count); goto out; x(); out: atomic_inc(&a->i_count); }",
        &["Drop atomic_dec a", "Grab atomic_inc a after-drop"],
    );
}

#[test]
fn a_drop_then_grab_of_another_inode_or_under_the_lock_is_no_resurrection() {
    check_accesses(
        "void f(struct inode *a, struct inode *b) { atomic_dec(&a->i_count); atomic_inc(&b->i_count); }",
        &["Drop atomic_dec a", "Grab atomic_inc b"],
    );
    check_accesses(
        "void f(struct inode *a) { atomic_dec(&a->i_count); a = next(a); atomic_inc(&a->i_count); }",
        &["Drop atomic_dec a", "Grab atomic_inc a"],
    );
    check_accesses(
        "void f(struct inode *a) { spin_lock(&a->i_lock); atomic_dec(&a->i_count); atomic_inc(&a->i_count); spin_unlock(&a->i_lock); }",
        &["Drop atomic_dec a locked", "Grab atomic_inc a locked"],
    );
}

#[test]
fn the_callers_lock_is_known_from_giving_it_back() {
    check_accesses(
        "int f(struct inode *a) { atomic_inc(&a->i_count); spin_unlock(&a->i_lock); work(); spin_lock(&a->i_lock); atomic_dec(&a->i_count); return 1; }",
        &["Grab atomic_inc a locked", "Drop atomic_dec a locked"],
    );
}

#[test]
fn a_lock_on_one_way_only_is_not_held() {
    check_accesses(
        "void f(struct inode *a) { if (x) spin_lock(&a->i_lock); atomic_inc(&a->i_count); }",
        &["Grab atomic_inc a"],
    );
}

#[test]
fn an_exchange_loop_that_spares_the_last_reference_is_a_delayed_iput() {
    check_accesses(
        "void f(struct inode *a) { int old = atomic_read(&a->i_count); do { if (old == 1) goto defer; } \
         while (!atomic_try_cmpxchg(&a->i_count, &old, old - 1)); return; defer: queue_work(q, w); }",
        &[
            "Read atomic_read a handed-over",
            "DropUnlessLast atomic_try_cmpxchg a handed-over",
        ],
    );
    check_accesses(
        "void f(struct inode *a) { atomic_cmpxchg(&a->i_count, 0, 1); }",
        &["Exchange atomic_cmpxchg a"],
    );
}

#[test]
fn a_failed_queue_after_a_grab_is_not_the_last_reference() {
    let reason = "a not-last: queue_work() failed because the work is pending, and the pending work owns a reference";
    check_releases(
        "void f(struct inode *a) { ihold(a); if (queue_work(q, w)) { x(); } else { iput(a); } }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (!queue_work(q, w)) iput(a); }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (queue_work(q, w)) return; iput(a); }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { if (!queue_work(q, w)) iput(a); }",
        &["a"],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (queue_work(q, w)) iput(a); }",
        &["a"],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); work(a); iput(a); }",
        &["a"],
    );
}

#[test]
fn a_remark_in_the_source_needs_a_reason() {
    check_releases(
        "void f(struct inode *a) {\n/* lorelint: not-last: the open file holds one */\niput(a); }",
        &["a not-last: marked in the source: the open file holds one"],
    );
    check_releases(
        "void f(struct inode *a) {\n/* lorelint: not-last: */\niput(a); }",
        &["a"],
    );
}

#[test]
fn iput_under_i_lock_and_behind_error_labels_is_marked() {
    check_releases(
        "void f(struct inode *a) { spin_lock(&a->i_lock); iput(a); spin_unlock(&a->i_lock); iput(a); }",
        &["a under-i_lock", "a"],
    );
    check_releases(
        "int f(struct inode *a) { if (x) goto out_err; return 0; out_err: drop(); iput(a); return 1; }",
        &["a behind out_err"],
    );
    check_releases(
        "int f(struct inode *a) { if (x) goto out; work(); out: iput(a); return 1; }",
        &["a"],
    );
}

#[test]
fn wrappers_are_known_by_their_bodies() {
    check_wrapper(
        "void later(struct inode *a) { if (atomic_add_unless(&a->i_count, -1, 1)) return; llist_add(&n(a)->node, l); }",
        Some(&Wrapper::Safe),
    );
    check_wrapper(
        "static inline bool unless_last(struct inode *a) { return atomic_add_unless(&a->i_count, -1, 1); }",
        Some(&Wrapper::Safe),
    );
    check_wrapper(
        "void my_irele(struct my_inode *ip) { trace(ip); iput(VFS_I(ip)); }",
        Some(&Wrapper::Alias { parameter: 0 }),
    );
    check_wrapper(
        "void put(struct list *l, struct inode *inode) { if (inode) iput(inode); }",
        Some(&Wrapper::Alias { parameter: 1 }),
    );
    check_wrapper(
        "void put(struct req *r) { struct inode *i = r->i; iput(i); }",
        None,
    );
    check_wrapper(
        "void put(struct inode *i) { if (list_empty(i)) iput(i); }",
        None,
    );
}

#[test]
fn hostile_nesting_ends() {
    let deep = format!(
        "void f(struct inode *a) {{ {} atomic_dec(&a->i_count); {} }}",
        "if (x) {".repeat(20_000),
        "}".repeat(20_000)
    );
    let tree = parse(deep.as_bytes()).expect("small enough");
    let found = accesses(tree.root_node(), deep.as_bytes());
    assert_eq!(
        found.iter().map(|it| it.op).collect::<Vec<_>>(),
        [CountOp::Drop]
    );
}
