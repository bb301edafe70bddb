//! Cases for what is read from one function: data in, one line an access or release out.

use super::counts::{CountOp, accesses};
use super::idioms::{Wrapper, releases, wrapper};
use super::{clean, parse};

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
        "void f(struct inode *a) { ihold(a); if (queue_work(q, &EX_I(a)->w)) { x(); } else { iput(a); } }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (!queue_work(q, &EX_I(a)->w)) iput(a); }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (queue_work(q, &EX_I(a)->w)) return; iput(a); }",
        &[reason],
    );
    check_releases(
        "void f(struct inode *a) { if (!queue_work(q, &EX_I(a)->w)) iput(a); }",
        &["a"],
    );
    check_releases(
        "void f(struct inode *a) { ihold(a); if (queue_work(q, &EX_I(a)->w)) iput(a); }",
        &["a"],
    );
    check_releases(
        "void f(struct inode *a, struct sb *s) { ihold(a); if (!queue_work(q, &s->w)) iput(a); }",
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
        Some(&Wrapper::Alias {
            parameter: 0,
            may_replace: false,
        }),
    );
    check_wrapper(
        "void put(struct list *l, struct inode *inode) { if (inode) iput(inode); }",
        Some(&Wrapper::Alias {
            parameter: 1,
            may_replace: false,
        }),
    );
    check_wrapper(
        "void put(struct inode *i, struct req *r) { if (!i) i = r->inode; iput(i); }",
        Some(&Wrapper::Alias {
            parameter: 0,
            may_replace: true,
        }),
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

/// Whether a text is read directly; it must then be read as the grammar reads it.
#[track_caller]
fn check_direct(text: &str, is_direct: bool) {
    let text = clean::clean(text.as_bytes());
    let direct = super::direct::parse(&text);
    let shown = String::from_utf8_lossy(&text);
    assert_eq!(direct.is_some(), is_direct, "input: {shown}");
    if direct.is_some() {
        assert_eq!(direct, super::by_grammar(&text), "input: {shown}");
    }
}

#[test]
fn what_functions_mostly_say_is_read_directly() {
    for text in [
        "static inline unsigned long f(const struct box *b, int (*g)(void *), ...) { return -1; }",
        "STATIC int f(struct box *b) { return b ? b->lid.size : !g(b); }",
        "void f(void) { u32 a = 1, *b, c[3] = { [1] = 2, 3 }; struct box d = { .lid = g, .x.y = 1 }; a *= b - -1; }",
        "void f(void) { for (int i = 0; i < 3; i++) if (g(i)) continue; else break; do { a = b; } while (a && b || !c); }",
        "void f(void) { switch (x) { case A: case B: { y(); break; } default: z; goto out; } out: return; }",
        "void f(void) { for_each_box(b, list) { (void)g(b, &(struct box){ .x = 1 }); *b->p++ = ~(u32)x << 3; } }",
        "void f(void) { a = sizeof(struct box *) + sizeof x + offsetof(struct box, lid); b = x ?: (y, z); }",
        "void f(void) { pr_info(\"a %s\\n\" FMT \"b\", 'c', '\\''); (name)(x); x[1].y(z)->w--; ({ g(); }); }",
        "void f(void) { int n = min_t(int, a, b); g(container_of(p, struct box, lid)); fallthrough; }",
        "static const struct ops table[] = { { .open = f, }, [TWO] = { g, h }, };",
        "struct box { struct lid { int a:1, b; } lid, *lids[2]; int (*open)(struct box *, int); union { u8 c; }; };",
        "void f(void) { a * b; }",
        "enum colour { RED, GREEN = 2, };",
        "struct ops { u64 (*hash)(u64); bool (*is_one)(u32, gfp_t); void (*put)(u32 a, int); };",
        "void f(void) { a = (b) - c; d = (u64)-1; g((u64)-1, sizeof(a) + sizeof(b) * 2, (b) & c); }",
        "void f(void) { if (b && (c) && d) return (a) * b; a = !b++ + !c->d-- - !++e; }",
        "void f(void) { for (u64 i = 0; i < (n) + 1; i++) g(-i); for (struct box *b = a; b; b = c) g(b); }",
        "void f(int (*g)(struct box *, u64, gfp_t), u8 a) { }",
        "void f(void) { a = sizeof(struct box)-4; b = c(0, sizeof(long)-8 + 2 * d, sizeof(int)+1); }",
        "void f(void) { a = sizeof(*b)-8; c = sizeof(b->lid)-4 * d; g(sizeof(&b.c)-1); }",
        "void f(void) { a = sizeof(of(b)->lid) - 1; g(sizeof(of(b, c).lid), 2); }",
        "static const struct ops table = { .open = f, }",
        "static struct work a = { .f = g }, b = { .f = h }",
    ] {
        check_direct(text, true);
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_left_to_the_grammar() {
    for text in [
        "void f(void) { a = (b) - c * d; }",
        "void f(void) { a = !(b) & c + d; }",
        "void f(void) { a = (b) * c = d; }",
        "void f(void) { a = (b) - (c) * d; }",
        "void f(void) { a = (b) -1 * c; }",
        "void f(void) { a = sizeof(b)+2*c; }",
        "void f(void) { a = (u64)(b + (c)-1); }",
        "void f(void) { a = (b) --c; }",
        "void f(void) { a = (u32)(b) * c; }",
        "void f(void) { a = (b >> (c * (d)) & 0xff); }",
        "void f(void) { a = (g(*(u16 *)(b))) & 0xf; }",
        "void f(void) { a = b[2 * (c)+1]; }",
        "void f(void) { if ((is_set(b)) && c) g(); }",
        "void f(void) { TYPE(x) *p; }",
        "void f(void) { put(OF(sizeof(struct box))); }",
        "void f(void) { a = sizeof(struct box)-4[b]; }",
        "void f(void) { put(sizeof(of(b))); }",
        "void f(void) { a = sizeof(u64 *)-8; }",
        "void f(void) { a = sizeof(b[1])+2; }",
        "struct work a",
        "void f(a, b) int a; { }",
        "void f(void) { a * b(c); }",
        "void f(void) { g(a,); }",
        "void f(void) { put((kind_of(*(p)))(b), sizeof(*(p))); }",
        "void f(void) { typeof(a) b; asm(\"nop\"); }",
        "struct box { };",
        "u64 (*reader)(void) = g;",
    ] {
        check_direct(text, false);
    }
}

#[test]
fn deep_nesting_is_left_to_the_grammar() {
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("!", ""),
        ("*", ""),
        ("a ? b : ", ""),
        ("{", "}"),
    ] {
        let value = format!("{}a{}", open.repeat(5_000), close.repeat(5_000));
        let text = format!("void f(void) {{ {value}; }}");
        assert!(super::direct::parse(text.as_bytes()).is_none(), "{open}");
    }
}

/// What breaks the grammar is overwritten where it stands: every other byte is where it was.
#[test]
fn cleaning_moves_no_byte() {
    let texts = [
        "static int __init f(struct box __user *p) __must_hold(&p->lock)\n{\n\treturn g(p);\n}\n",
        "int f(void)\n{\n\tlist_for_each_entry(a, &b->list, link)\n\t\tg(a);\n\twith_lock(a) {\n\t\th(a);\n\t}\n}\n",
        "int f(struct box *p)\n{\n\tg(container_of(p, struct crate, box));\n\tMACRO(p)\n\th(p);\n\treturn 0;\n}\n",
        "int f(int a)\n{\n#ifdef CONFIG_A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t\tg(a); /* a } */\n\t}\n}\n",
        "int f(int a)\n{\n\tstruct inode *i __free(iput) = g(\"/* no */\", '\"');\n\tstatic DEFINE_MUTEX(m);\n\treturn 0;\n}\n",
        "SYSCALL_DEFINE2(f, int, a, char __user *, b)\n{\n\treturn \\\n\t\tg(a);\n}\n",
    ];
    for text in texts {
        let clean = super::clean::clean(text.as_bytes());
        assert_eq!(clean.len(), text.len(), "{text}");
        for (at, (was, is)) in text.bytes().zip(&clean).enumerate() {
            let is_line_end = was == b'\n' && matches!(is, b'\n' | b';');
            let is_overwritten =
                was != b'\n' && (matches!(is, b' ' | b'_' | b';') || b"while".contains(is));
            assert!(
                was == *is || is_line_end || is_overwritten,
                "{at} of {text}"
            );
        }
        // What is called stands where it stood.
        let place = memchr::memmem::find(text.as_bytes(), b"g(");
        assert_eq!(memchr::memmem::find(&clean, b"g("), place, "{text}");
    }
}
