//! What is done again when something changes, and what is said of an older version's findings.

use std::sync::Arc;

use lorelint_tests::command::lorelintd;
use lorelint_tests::git::GitFixture;
use lorelint_tests::listmail::{Mail, mbox};
use lorelintd::config::Config;
use lorelintd::jobs::{self, Context};
use lorelintd::model::{
    JobKind, PatchState, ReviewState, SeriesFilter, SeriesPage, Timestamp, version_label,
};
use lorelintd::queue::Worker;
use lorelintd::store::Store;
use tempfile::TempDir;

const LIST: &str = "list@lists.example";

/// A file of ten functions, each of which a patch may give a flaw.
fn toy() -> String {
    let mut text = "struct inode;\n\n".to_owned();
    for number in 0..10 {
        text +=
            &format!("void toy_{number}(struct inode *inode)\n{{\n\tclear_inode(inode);\n}}\n\n");
    }
    text
}

/// A service whose linter stays warm between its runs.
struct Toy {
    dir: TempDir,
    tree: GitFixture,
    context: Arc<Context>,
    boxes: usize,
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

impl Toy {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let tree = GitFixture::new();
        tree.write("fs/toy/inode.c", toy().as_bytes());
        tree.commit("toy");
        let config = format!(
            "[mail]\nfrom = \"bot <bot@lorelint.example>\"\ntransport = \"directory:{out}\"\n\
             [[trees]]\nname = \"toy\"\npath = \"{tree}\"\nbranches = [\"main\"]\n\
             [[lists]]\naddress = \"{LIST}\"\ntrees = [\"toy\"]\n",
            out = dir.path().join("out").display(),
            tree = tree.path().display(),
        );
        let file = dir.path().join("config.toml");
        std::fs::write(&file, config).expect("a file can be written");
        let config =
            Config::load(Some(&file), std::iter::empty()).expect("the configuration is valid");
        let database = format!("sqlite:{}", dir.path().join("db.sqlite").display());
        let store = Store::open(&database).await.expect("the database opens");
        let context = Arc::new(Context::new(store, config, now));
        Self {
            dir,
            tree,
            context,
            boxes: 0,
        }
    }

    /// A diff that gives the functions `flawed` a flaw, on the tree in which `before` have one.
    fn diff(&self, before: &[usize], flawed: &[usize]) -> String {
        let with = |numbers: &[usize]| {
            let mut text = toy();
            for number in numbers {
                let head = format!("void toy_{number}(struct inode *inode)\n{{\n");
                text = text.replace(&head, &format!("{head}\tatomic_set(&inode->i_count, 1);\n"));
            }
            text
        };
        let all: Vec<usize> = before.iter().chain(flawed).copied().collect();
        self.tree.write("fs/toy/inode.c", with(before).as_bytes());
        self.tree.run(&["add", "--all"]);
        self.tree.write("fs/toy/inode.c", with(&all).as_bytes());
        let diff = self.tree.output(&["diff"], b"").stdout;
        self.tree.run(&["reset", "--quiet", "--hard"]);
        String::from_utf8(diff).expect("the file is text")
    }

    fn patch(id: &str, subject: &str, diff: &str) -> Mail {
        let body = format!(
            "Why.\n\nSigned-off-by: Ann Author <ann@dev.example>\n---\n{diff}-- \n2.51.0\n"
        );
        Mail {
            body,
            ..Mail::new(id, subject)
        }
    }

    /// Takes mails in and works the queue off; returns how many jobs ran and how many patched states were linted.
    async fn take(&mut self, mails: &[Mail]) -> (u64, u64) {
        self.boxes += 1;
        let file = self.dir.path().join(format!("{}.mbox", self.boxes));
        std::fs::write(&file, mbox(mails)).expect("a file can be written");
        let database = format!("sqlite:{}", self.dir.path().join("db.sqlite").display());
        let config = self.dir.path().join("config.toml").display().to_string();
        let source = format!("mbox:{}", file.display());
        let line = [
            "--config",
            &config,
            "--database",
            &database,
            "ingest",
            &source,
            "--list",
            LIST,
            "--once",
        ];
        let ended = lorelintd(&line, b"").await;
        assert_eq!(ended.code, 0, "{}", ended.errors);
        self.work().await
    }

    async fn work(&self) -> (u64, u64) {
        let before = self.context.linter.linted_count();
        self.context
            .enqueue_stale()
            .await
            .expect("the queue takes jobs");
        let worker = Worker {
            store: self.context.store.clone(),
            name: "w".to_owned(),
            kinds: vec![JobKind::LintSeries],
            lease: std::time::Duration::from_mins(1),
            clock: now,
        };
        let run = |claim| jobs::run(Arc::clone(&self.context), claim);
        let worked = worker.until_idle(run).await.expect("the queue answers");
        assert_eq!(worked.failed, 0);
        (worked.done, self.context.linter.linted_count() - before)
    }

    /// The pages, oldest series first.
    async fn pages(&self) -> Vec<SeriesPage> {
        let store = &self.context.store;
        let list = store
            .series_list(&SeriesFilter::default(), <_>::default())
            .await;
        let mut ids: Vec<_> = list
            .expect("series can be listed")
            .items
            .iter()
            .map(|it| it.id)
            .collect();
        ids.sort();
        let mut pages = Vec::new();
        for id in ids {
            pages.push(
                store
                    .series_page(id)
                    .await
                    .expect("the page is read")
                    .expect("it is here"),
            );
        }
        pages
    }
}

fn states(page: &SeriesPage) -> Vec<PatchState> {
    page.patches.iter().map(|it| it.state).collect()
}

#[tokio::test]
async fn a_part_that_comes_late_is_all_that_is_linted_again() {
    let mut toy = Toy::new().await;
    let first = Toy::patch("p1@x", "[PATCH 1/3] toy: one", &toy.diff(&[], &[1]));
    let second = Toy::patch("p2@x", "[PATCH 2/3] toy: two", &toy.diff(&[1], &[2])).under("p1@x");
    let third =
        Toy::patch("p3@x", "[PATCH 3/3] toy: three", &toy.diff(&[1, 2], &[3])).under("p1@x");
    // The state after the first patch.
    assert_eq!(toy.take(&[first, third]).await, (1, 1));
    let page = toy.pages().await.remove(0);
    assert_eq!(page.summary.review, ReviewState::Partial);
    assert_eq!(
        states(&page),
        [
            PatchState::Applied,
            PatchState::Missing,
            PatchState::Skipped
        ]
    );
    let review = page.review.as_ref().expect("it was reviewed");
    assert_eq!(review.reason.as_deref(), Some("patch 2 has not arrived"));
    let reply = toy
        .context
        .store
        .outbox_item(page.outbox[0].id)
        .await
        .expect("it is read")
        .expect("it is here");
    let said = reply.raw.replace('\n', " ");
    let part = said
        .split_once("and only in part: ")
        .and_then(|it| it.1.split_once('.'));
    assert_eq!(
        part.map(|it| it.0),
        Some("patch 2 has not arrived"),
        "{said}"
    );

    // Only the states after the second and the third.
    assert_eq!(toy.take(&[second]).await, (1, 2));
    let page = toy.pages().await.remove(0);
    assert_eq!(page.summary.review, ReviewState::Linted);
    assert_eq!(page.new.len(), 3);
    assert_eq!(toy.take(&[]).await, (0, 0));
}

#[tokio::test]
async fn a_branch_that_moves_is_no_work_for_series_whose_base_stays() {
    let mut toy = Toy::new().await;
    let mail = Toy::patch("p1@x", "[PATCH] toy: one", &toy.diff(&[], &[1]));
    assert_eq!(toy.take(&[mail]).await, (1, 1));
    toy.tree.write("Makefile", b"all:\n");
    toy.tree.commit("another file");
    // The newest commit with the blobs is another one now, and the tree with it.
    assert_eq!(toy.work().await, (1, 1));
    let commit = toy.tree.run(&["rev-parse", "HEAD"]);
    toy.tree.write("fs/toy/inode.c", b"void other(void) {}\n");
    toy.tree.commit("the file changes");
    // The job looks, and finds the base that it had.
    assert_eq!(toy.work().await, (1, 0));
    let page = toy.pages().await.remove(0);
    let base = page
        .review
        .as_ref()
        .and_then(|it| it.base.as_ref())
        .expect("it has a base");
    assert_eq!(base.rev, commit);
    assert_eq!(toy.work().await, (0, 0));
}

#[tokio::test]
async fn a_new_version_says_what_was_addressed_what_persists_and_what_is_new() {
    let mut toy = Toy::new().await;
    let one = Toy::patch("v1@x", "[PATCH] toy: keep inodes", &toy.diff(&[], &[1, 4]));
    toy.take(&[one]).await;
    let two = Toy::patch(
        "v2@x",
        "[PATCH v2] toy: keep inodes",
        &toy.diff(&[], &[4, 7]),
    )
    .at(60);
    // v1 is superseded, which is no reason to lint it again.
    assert_eq!(toy.take(&[two]).await, (1, 1));
    let pages = toy.pages().await;
    assert_eq!(pages[0].progress(), None);
    let page = &pages[1];
    assert_eq!(
        page.progress().as_deref(),
        Some("since v1: 1 addressed, 1 persists, 1 new")
    );
    let functions = |findings: &[lorelintd::model::Finding]| -> Vec<(String, Vec<u32>)> {
        let one = |it: &lorelintd::model::Finding| {
            (it.detail.function.clone(), it.seen_in_versions.clone())
        };
        findings.iter().map(one).collect()
    };
    assert_eq!(
        functions(&page.new),
        [("toy_4".to_owned(), vec![1]), ("toy_7".to_owned(), vec![])]
    );
    assert_eq!(functions(&page.addressed), [("toy_1".to_owned(), vec![])]);
    assert_eq!(
        page.reasons,
        [
            "version 2 because its subject says so",
            "replaces the earlier version 1: the same sender and title"
        ]
    );
    let reply = toy
        .context
        .store
        .outbox_item(page.outbox[0].id)
        .await
        .expect("it is read")
        .expect("it is here");
    let body = reply.raw.split_once("\n\n").map_or("", |it| it.1);
    let base = page
        .review
        .as_ref()
        .and_then(|it| it.base.as_ref())
        .expect("it has a base");
    insta::assert_snapshot!(body.replace(&base.rev[..12], "COMMIT"));
}

#[tokio::test]
async fn a_series_is_linted_again_when_its_prerequisite_comes_in() {
    let mut toy = Toy::new().await;
    let before = toy.diff(&[], &[1]);
    let id = lorelint::diff::patch_id(before.as_bytes()).expect("it is a diff");
    let head = toy.tree.run(&["rev-parse", "HEAD"]);
    let mut series = Toy::patch("p@x", "[PATCH] toy: two", &toy.diff(&[1], &[2]));
    series.body += &format!("\nbase-commit: {head}\nprerequisite-patch-id: {id}\n");
    toy.take(&[series]).await;
    let why = |page: &SeriesPage| {
        let base = page.review.as_ref().and_then(|it| it.base.clone());
        base.expect("it has a base")
            .why
            .replace(&head[..12], "COMMIT")
    };
    assert_eq!(
        why(&toy.pages().await[0]),
        "at base-commit COMMIT without its prerequisite patch, for no known mail is number 1, 1 of 1 files are not as \
         the index lines say; no other base has the blobs"
    );
    let prerequisite = Toy::patch("q@x", "[PATCH] toy: one", &before);
    // Its own job, and that of the series that waited.
    assert_eq!(toy.take(&[prerequisite]).await.0, 2);
    let page = toy.pages().await.remove(0);
    assert_eq!(
        why(&page),
        "the series says base-commit COMMIT, with its prerequisite patch"
    );
    assert_eq!(page.summary.review, ReviewState::Linted);
    assert_eq!(page.new.len(), 1);
}

#[tokio::test]
async fn a_series_is_linted_again_when_the_series_that_it_depends_on_comes_in() {
    let mut toy = Toy::new().await;
    // Each patch names the lines of the one before, and no blob by which a merge could do without.
    toy.tree.run(&["config", "diff.context", "12"]);
    let diff = |before: &[usize], flawed: &[usize]| {
        let diff = toy.diff(before, flawed);
        let lines = diff.split_inclusive('\n');
        lines
            .filter(|it| !it.starts_with("index "))
            .collect::<String>()
    };
    let (one, two, three) = (diff(&[], &[1]), diff(&[1], &[2]), diff(&[1, 2], &[3]));
    let mut series = Toy::patch("p@x", "[PATCH] toy: three", &three);
    series.body = series.body.replace("---\n", "Depends-on: <c@x>\n---\n");
    toy.take(&[series]).await;
    let page = toy.pages().await.remove(0);
    assert_eq!(states(&page), [PatchState::DoesNotApply]);
    assert_eq!(page.reasons, ["it says that it depends on c@x"]);
    let base = page.review.as_ref().and_then(|it| it.base.clone());
    assert_eq!(
        base.expect("it has a base").why,
        "the list's branch main, without its prerequisite patch, for no known mail is number 1"
    );
    let below = [
        Mail {
            body: "Why.\n".to_owned(),
            ..Mail::new("c@x", "[PATCH 0/2] toy: first")
        },
        Toy::patch("c1@x", "[PATCH 1/2] toy: one", &one).under("c@x"),
    ];
    toy.take(&below).await;
    let page = toy.pages().await.remove(0);
    assert_eq!(states(&page), [PatchState::DoesNotApply]);
    let last = Toy::patch("c2@x", "[PATCH 2/2] toy: two", &two).under("c@x");
    // Its own series, and the one that stands on it.
    assert_eq!(toy.take(&[last]).await.0, 2);
    let page = toy.pages().await.remove(0);
    let base = page.review.as_ref().and_then(|it| it.base.clone());
    assert_eq!(
        base.expect("it has a base").why,
        "the list's branch main, with its 2 prerequisite patches"
    );
    assert_eq!(page.summary.review, ReviewState::Linted);
    assert_eq!(page.new.len(), 1);
    // Nothing waits for itself.
    assert_eq!(toy.take(&[]).await.0, 0);
}

#[tokio::test]
async fn two_series_that_depend_on_each_other_come_to_rest() {
    let mut toy = Toy::new().await;
    let with = |id: &str, subject: &str, on: &str, diff: &str| {
        let mut mail = Toy::patch(id, subject, diff);
        mail.body = mail
            .body
            .replace("---\n", &format!("Depends-on: <{on}>\n---\n"));
        mail
    };
    let one = with("p@x", "[PATCH 1/2] toy: one", "q@x", &toy.diff(&[], &[1]));
    let other = with("q@x", "[PATCH 1/3] toy: two", "p@x", &toy.diff(&[], &[2]));
    let other = Mail {
        from: "Bob <bob@dev.example>".to_owned(),
        ..other
    };
    // `take` works until nothing is left to do.
    toy.take(&[one, other]).await;
    assert_eq!(toy.work().await.0, 0);
}

#[tokio::test]
async fn a_part_that_is_repaired_makes_a_version_of_its_own() {
    let mut toy = Toy::new().await;
    let (one, two) = (toy.diff(&[], &[1]), toy.diff(&[1], &[2]));
    let better = toy.diff(&[1], &[4]);
    toy.take(&[
        Toy::patch("p@x", "[PATCH v5 1/2] toy: one", &one),
        Toy::patch("q@x", "[PATCH v5 2/2] toy: two", &two).under("p@x"),
    ])
    .await;
    toy.take(&[Toy::patch("r@x", "[PATCH v5.1 2/2] toy: two", &better).under("q@x")])
        .await;
    // A mail that puts the thread together anew must not make one version the other.
    toy.take(&[Mail::new("k@x", "Re: [PATCH v5.1 2/2] toy: two").under("r@x")])
        .await;
    let pages = toy.pages().await;
    let shown: Vec<_> = pages
        .iter()
        .map(|it| {
            let mails = it.patches.iter().filter_map(|it| it.mail.as_ref());
            (
                version_label(it.summary.version, it.summary.fraction),
                mails
                    .map(|it| it.summary.message_id.clone())
                    .collect::<Vec<_>>(),
                it.versions.len(),
                it.progress(),
            )
        })
        .collect();
    let ids = |ids: [&str; 2]| ids.map(str::to_owned).to_vec();
    let progress = Some("since v5: 1 addressed, 1 persists, 1 new".to_owned());
    assert_eq!(
        shown,
        [
            ("5".to_owned(), ids(["p@x", "q@x"]), 2, None),
            ("5.1".to_owned(), ids(["p@x", "r@x"]), 2, progress),
        ]
    );
}
