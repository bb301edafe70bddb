//! Why a line is not reported: what is said of each way in which a chain ends before it.

use lorelint::config::Config;
use lorelint::render::graph::{self as render, Form};
use lorelint::tree::TreePath;
use lorelint::{Linter, Options};
use lorelint_tests::graph_case::tree;

const AOPS: &str = "
const struct address_space_operations example_aops = {
	.writepages = example_writepages,
};
";

/// A file whose function `example_writepages` is a root of writeback, with what stands before it.
fn writer(before: &str, body: &str) -> String {
    format!(
        "{before}
static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{{
{body}	return 0;
}}
{AOPS}"
    )
}

/// What is said of the line that ends with `/* here */`, as the program prints it.
fn why(files: &[(&str, &str)], options: Options) -> String {
    let holds = |it: &&(&str, &str)| it.1.contains("/* here */");
    let (file, text) = files.iter().find(holds).unwrap();
    let mut lines = text.lines().zip(1..);
    let line = lines.find(|it| it.0.ends_with("/* here */")).unwrap().1;
    let mut out = Vec::new();
    let why = Linter::new(options).why(&tree(files), &TreePath::parse(file).unwrap(), line);
    match why {
        Ok(why) => render::why(&why, Form::Text, &mut out).unwrap(),
        Err(error) => return format!("{error}\n"),
    }
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(files: &[(&str, &str)], config: &str, expected: &str) {
    let config = Config::parse(config, "the case").unwrap();
    let options = Options {
        config,
        ..Options::default()
    };
    assert_eq!(why(files, options), expected);
}

/// Writeback alone, so that the others do not say each time that they have nothing to do with it.
const WRITEBACK: &str = "[contexts]\nmessenger = false\ncompletion = false\n";

#[test]
fn a_constant_argument_excludes_the_branch_that_calls() {
    let text = writer(
        "static int example_drop(struct inode *inode)
{
	example_note(inode);
	iput(inode); /* here */
	return 0;
}

static int example_finish(struct inode *inode, bool last)
{
	if (last)
		example_drop(inode);
	return 0;
}
",
        "\texample_finish(mapping->host, false);\n",
    );
    check(
        &[("fs/example/addr.c", &text)],
        WRITEBACK,
        "in example_drop, fs/example/addr.c:1
  fs/example/addr.c:4: example_drop calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:22 (root through address_space_operations.writepages)
    example_finish at fs/example/addr.c:17 (direct)
    example_drop at fs/example/addr.c:11 (direct)
      cut: what the callers pass excludes this branch
",
    );
}

#[test]
fn a_constant_argument_excludes_the_branch_that_drops() {
    let text = writer(
        "static int example_finish(struct inode *inode, bool last)
{
	example_note(inode);
	if (last)
		iput(inode); /* here */
	return 0;
}
",
        "\texample_finish(mapping->host, false);\n",
    );
    check(
        &[("fs/example/addr.c", &text)],
        WRITEBACK,
        "in example_finish, fs/example/addr.c:1
  fs/example/addr.c:5: example_finish calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:16 (root through address_space_operations.writepages)
    example_finish at fs/example/addr.c:11 (direct)
    iput at fs/example/addr.c:5 (direct)
      cut: what the callers pass excludes this branch
",
    );
}

#[test]
fn there_is_nothing_to_drop() {
    let text = writer(
        "static void example_put(struct inode *inode)
{
	iput(inode);
}
",
        "\texample_note(mapping);\n\texample_put(NULL); /* here */\n",
    );
    check(
        &[("fs/example/addr.c", &text)],
        WRITEBACK,
        "in example_writepages, fs/example/addr.c:6
  fs/example/addr.c:9: example_writepages calls example_put in fs/example/addr.c (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:14 (root through address_space_operations.writepages)
    example_put at fs/example/addr.c:9 (direct)
      cut: there is nothing to drop, by what the callers pass
",
    );
}

#[test]
fn the_chain_would_come_out_in_another_implementation() {
    let header = "struct address_space_operations {
	int (*writepages)(struct address_space *, struct writeback_control *);
	sector_t (*bmap)(struct address_space *, sector_t);
};
struct address_space {
	const struct address_space_operations *a_ops;
};
";
    let generic = "sector_t generic_map(struct address_space *mapping)
{
	return mapping->a_ops->bmap(mapping, 0);
}
";
    let text = writer(
        "static struct file_system_type example_type = {
	.name = \"example\",
};
",
        "\tgeneric_map(mapping);\n",
    );
    let other = "static struct file_system_type other_type = {
	.name = \"other\",
};

static sector_t other_bmap(struct address_space *mapping, sector_t block)
{
	struct inode *inode = other_grab(mapping);

	iput(inode); /* here */
	return block;
}

const struct address_space_operations other_aops = {
	.bmap = other_bmap,
};
";
    let files = [
        ("include/linux/fs.h", header),
        ("mm/map.c", generic),
        ("fs/example/addr.c", text.as_str()),
        ("fs/other/addr.c", other),
    ];
    check(
        &files,
        WRITEBACK,
        "in other_bmap, fs/other/addr.c:5
  fs/other/addr.c:9: other_bmap calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:12 (root through address_space_operations.writepages)
    generic_map at fs/example/addr.c:7 (direct)
    other_bmap at mm/map.c:3 (ops through address_space_operations.bmap)
      cut: belongs to another implementation than the chain
",
    );
}

#[test]
fn the_author_says_why_it_is_not_the_last_reference() {
    let text = writer(
        "",
        "	/* lorelint: not-last: the super block holds one */
	iput(mapping->host); /* here */
",
    );
    check(&[("fs/example/addr.c", &text)], WRITEBACK, "in example_writepages, fs/example/addr.c:2
  fs/example/addr.c:5: example_writepages calls iput (direct)
reported: nothing
note: iput(mapping->host); is not the last reference: marked in the source: the super block holds one
writeback: reaches this function, confidence high
    example_writepages at fs/example/addr.c:10 (root through address_space_operations.writepages)
drop-inode: no chain leads here
");
}

#[test]
fn pending_work_holds_another_reference() {
    let text = writer(
        "",
        "	ihold(mapping->host);
	if (!queue_work(example_wq, &EXAMPLE_I(mapping->host)->work))
		iput(mapping->host); /* here */
",
    );
    check(&[("fs/example/addr.c", &text)], WRITEBACK, "in example_writepages, fs/example/addr.c:2
  fs/example/addr.c:6: example_writepages calls iput (direct)
reported: nothing
note: iput(mapping->host); is not the last reference: queue_work() failed because the work is pending, and the pending work owns a reference
writeback: reaches this function, confidence high
    example_writepages at fs/example/addr.c:11 (root through address_space_operations.writepages)
drop-inode: no chain leads here
");
}

#[test]
fn the_lookup_keeps_a_reference_of_its_own() {
    let text = writer(
        "struct inode *example_system_inode(struct example_super *es, int type)
{
	struct inode **slot = &es->inodes[type];
	struct inode *inode = *slot;

	if (inode)
		return igrab(inode);
	inode = example_iget(es, type);
	if (inode)
		*slot = igrab(inode);
	return inode;
}
",
        "	struct inode *inode = example_system_inode(mapping->private, 1);

	example_note(inode);
	iput(inode); /* here */
",
    );
    check(&[("fs/example/addr.c", &text)], WRITEBACK, "in example_writepages, fs/example/addr.c:14
  fs/example/addr.c:19: example_writepages calls iput (direct)
reported: unsafe-iput (note, low): iput() may drop the last reference in writeback: evict() waits in inode_wait_for_writeback() for the I_SYNC that this task holds; but example_system_inode() keeps a reference of its own to the inodes that it finds: this is not the last one while it does
writeback: reaches this function, confidence low
    example_writepages at fs/example/addr.c:24 (root through address_space_operations.writepages)
drop-inode: no chain leads here
");
}

#[test]
fn a_worker_does_it_later() {
    let text = writer(
        "static void example_work(struct work_struct *work)
{
	struct example_inode *ei = container_of(work, struct example_inode, work);

	example_note(ei);
	iput(&ei->inode); /* here */
}
",
        "	INIT_WORK(&EXAMPLE_I(mapping->host)->work, example_work);
	schedule_work(&EXAMPLE_I(mapping->host)->work);
",
    );
    check(
        &[("fs/example/addr.c", &text)],
        WRITEBACK,
        "in example_work, fs/example/addr.c:1
  fs/example/addr.c:6: example_work calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:17 (root through address_space_operations.writepages)
    example_work at fs/example/addr.c:11 (direct through INIT_WORK)
      cut: runs later, elsewhere
",
    );
}

#[test]
fn a_safe_wrapper_hands_it_to_a_worker() {
    let text = writer(
        "static void example_drop_delayed(struct inode *inode)
{
	if (atomic_add_unless(&inode->i_count, -1, 1)) /* here */
		return;
	queue_work(example_wq, &EXAMPLE_I(inode)->work);
}
",
        "\texample_drop_delayed(mapping->host);\n",
    );
    check(&[("fs/example/addr.c", &text)], WRITEBACK, "in example_drop_delayed, fs/example/addr.c:1
  fs/example/addr.c:3: example_drop_delayed calls atomic_add_unless (direct)
reported: i-count-delayed-iput (note, medium): atomic_add_unless() and a queue: this looks like a delayed iput()
note: this function hands the last reference to a worker: its iput() is safe
writeback: reaches this function, confidence high
    example_writepages at fs/example/addr.c:15 (root through address_space_operations.writepages)
    example_drop_delayed at fs/example/addr.c:10 (direct)
drop-inode: no chain leads here
");
}

#[test]
fn no_root_leads_there() {
    let text = "int example_release(struct inode *inode, struct file *file)
{
	iput(inode); /* here */
	return 0;
}
";
    check(
        &[("fs/example/file.c", text)],
        WRITEBACK,
        "in example_release, fs/example/file.c:1
  fs/example/file.c:3: example_release calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: no chain leads here
",
    );
}

#[test]
fn the_configuration_suppresses_it() {
    let text = writer("", "\tiput(mapping->host); /* here */\n");
    let config = format!(
        "{WRITEBACK}[[suppress]]\nfunction = \"example_*\"\nreason = \"a mount keeps them all\"\n"
    );
    check(
        &[("fs/example/addr.c", &text)],
        &config,
        "in example_writepages, fs/example/addr.c:2
  fs/example/addr.c:4: example_writepages calls iput (direct)
reported: nothing
note: the configuration suppresses what is found here: a mount keeps them all
writeback: reaches this function, confidence high
    example_writepages at fs/example/addr.c:9 (root through address_space_operations.writepages)
drop-inode: no chain leads here
",
    );
}

#[test]
fn its_callers_are_reported_instead() {
    let text = writer(
        "static void example_put(struct inode *inode)
{
	iput(inode); /* here */
}
",
        "\texample_put(mapping->host);\n",
    );
    check(&[("fs/example/addr.c", &text)], WRITEBACK, "in example_put, fs/example/addr.c:1
  fs/example/addr.c:3: example_put calls iput (direct)
reported: nothing
note: this function is another name for iput(): its callers are reported, unless it stands in a table
writeback: reaches this function, confidence high
    example_writepages at fs/example/addr.c:13 (root through address_space_operations.writepages)
    example_put at fs/example/addr.c:8 (direct)
drop-inode: no chain leads here
");
}

#[test]
fn the_file_is_not_part_of_the_scope() {
    let text = writer("", "\tiput(mapping->host); /* here */\n");
    let files = [("fs/example/addr.c", text.as_str()), ("fs/other/a.c", "")];
    let options = Options {
        scope: vec!["fs/other".to_owned()],
        ..Options::default()
    };
    assert_eq!(why(&files, options), "fs/example/addr.c lies outside of the scope, which is fs/other: it was not read, and no chain that enters it is seen; ask without --scope
");
}

#[test]
fn what_a_system_call_enters_is_not_entered_from_below() {
    let header = "struct file_operations {
	int (*fsync)(struct file *);
};
struct file {
	const struct file_operations *f_op;
};
";
    let text = writer(
        "static int example_fsync(struct file *file)
{
	example_note(file);
	iput(file->inode); /* here */
	return 0;
}

const struct file_operations example_fops = {
	.fsync = example_fsync,
};
",
        "\tstruct file *file = mapping->private;\n\n\tfile->f_op->fsync(file);\n",
    );
    let files = [
        ("include/linux/fs.h", header),
        ("fs/example/addr.c", text.as_str()),
    ];
    check(
        &files,
        WRITEBACK,
        "in example_fsync, fs/example/addr.c:1
  fs/example/addr.c:4: example_fsync calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:21 (root through address_space_operations.writepages)
    example_fsync at fs/example/addr.c:16 (ops through file_operations.fsync)
      cut: the table by which system calls enter a filesystem
",
    );
}

#[test]
fn machinery_below_the_filesystems_is_not_entered() {
    let text = writer("", "\tother_submit(mapping->host);\n");
    let driver = "int other_submit(struct inode *inode)
{
	other_note(inode);
	iput(inode); /* here */
	return 0;
}

static int other_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	return other_note(mapping->host);
}

const struct address_space_operations other_aops = {
	.writepages = other_writepages,
};
";
    let files = [
        ("drivers/other/disk.c", driver),
        ("fs/example/addr.c", text.as_str()),
    ];
    check(
        &files,
        WRITEBACK,
        "in other_submit, drivers/other/disk.c:1
  drivers/other/disk.c:4: other_submit calls iput (direct)
reported: nothing
drop-inode: no chain leads here
writeback: not reached; the nearest chain is cut
    example_writepages at fs/example/addr.c:9 (root through address_space_operations.writepages)
    other_submit at fs/example/addr.c:4 (direct)
      cut: machinery below the filesystems is not entered
",
    );
}

#[test]
fn a_line_outside_of_functions_is_nobodys() {
    check(
        &[("fs/example/file.c", "int example_count; /* here */\n")],
        WRITEBACK,
        "no function holds this line
",
    );
}

/// A function whose address is taken by `registers`, and nothing that writeback has to do with.
fn registered(registers: &str) -> String {
    format!(
        "struct box {{
	void (*end)(struct box *box);
}};

static void box_end(struct box *box)
{{
	if (box_note(box))
		iput(box_inode(box)); /* here */
}}

{registers}"
    )
}

const NOTHING: &str = "in box_end, fs/example/box.c:5
  fs/example/box.c:8: box_end calls iput (direct)
  fs/example/box.c:8: box_end calls box_inode (direct)
reported: nothing
drop-inode: no chain leads here
writeback: no chain leads here
";

/// Checks what is not followed to a function that writeback does not reach.
#[track_caller]
fn check_open(registers: &str, open_ends: &str) {
    let text = registered(registers);
    let expected = format!("{NOTHING}{open_ends}");
    check(&[("fs/example/box.c", &text)], WRITEBACK, &expected);
}

#[test]
fn a_member_that_holds_it_is_not_called() {
    check_open(
        "static const struct box a_box = {
	.end = box_end,
};
",
        "not followed: box_end() is put in box.end at fs/example/box.c:12; no call through that is seen\n",
    );
}

#[test]
fn the_function_that_gets_it_is_not_seen_to_call_it() {
    check_open(
        "void box_open(struct crate *crate)
{
	crate_add(crate, box_end);
}
",
        "not followed: box_end() is passed to crate_add() at fs/example/box.c:13, which is not seen to call it\n",
    );
}

#[test]
fn calls_through_the_member_have_no_known_function() {
    check_open(
        "static void box_set(struct box *box, int kind, void (*end)(struct box *box))
{
	if (kind)
		box->end = end;
}

static void crate_fill(struct box *box, void (*end)(struct box *box))
{
	box_set(box, 1, end);
}

static const struct crate_ops a_crate = {
	.fill = crate_fill,
};

void box_open(struct box *box, int kind)
{
	box_set(box, kind, box_end);
}

void box_shut(struct box *box)
{
	box->end(box);
	box->end(box);
}
",
        "not followed: box_end() is passed to box_set() at fs/example/box.c:28 and put in box.end; 2 calls through that have no known function, the first at fs/example/box.c:33\n",
    );
}

#[test]
fn what_holds_the_address_of_a_caller_counts_too() {
    check_open(
        "static void box_close(struct box *box)
{
	box_end(box);
}

static const struct box a_box = {
	.end = box_close,
};
",
        "not followed: box_close() is put in box.end at fs/example/box.c:17; no call through that is seen\n",
    );
}

/// Who calls through the member leads here, and whoever calls that would.
#[test]
fn a_member_that_is_called_is_followed() {
    check_open(
        "static const struct box a_box = {
	.end = box_end,
};

void box_shut(struct box *box)
{
	box->end(box);
}
",
        "",
    );
}

#[test]
fn a_function_that_nobody_names_has_no_open_end() {
    check_open("", "");
}
