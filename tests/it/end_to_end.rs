//! The whole path through the command line: list, series, lint, reply.

use std::path::Path;

use lorelint_tests::command::{Ended, lorelintd};
use lorelint_tests::git::GitFixture;
use lorelint_tests::listmail::{Mail, mbox};
use lorelintd::model::{OutboxState, PatchState, ReviewState, SeriesFilter};
use lorelintd::store::Store;
use tempfile::TempDir;

const LIST: &str = "list@lists.example";

const INODE_C: &str =
    "struct inode;\n\nvoid toy_forget(struct inode *inode)\n{\n\tclear_inode(inode);\n}\n";

/// Adds an open-coded reference count to `toy_forget`.
fn flawed_patch() -> Mail {
    let body = "Keep the inode.\n\nSigned-off-by: Ann Author <ann@dev.example>\n---\n fs/toy/inode.c | 1 +\n \
        1 file changed, 1 insertion(+)\n\ndiff --git a/fs/toy/inode.c b/fs/toy/inode.c\n--- a/fs/toy/inode.c\n\
        +++ b/fs/toy/inode.c\n@@ -2,5 +2,6 @@\n \n void toy_forget(struct inode *inode)\n {\n\
        +\tatomic_set(&inode->i_count, 1);\n \tclear_inode(inode);\n }\n-- \n2.51.0\n";
    Mail {
        body: body.to_owned(),
        ..Mail::new("flawed@x", "[PATCH] toy: keep the inode")
    }
}

struct Service {
    dir: TempDir,
    _tree: GitFixture,
}

impl Service {
    /// A configured service with one tree and one silent list whose mails are `mails`.
    fn new(mails: &[Mail]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let tree = GitFixture::new();
        let folder = tree.path().join("fs/toy");
        std::fs::create_dir_all(&folder).expect("a directory can be made");
        std::fs::write(folder.join("inode.c"), INODE_C).expect("a file can be written");
        tree.run(&["add", "--all"]);
        tree.run(&["commit", "--quiet", "--message=toy"]);
        let config = format!(
            "[mail]\nfrom = \"bot <bot@lorelint.example>\"\ntransport = \"directory:{out}\"\n\
             [[trees]]\nname = \"toy\"\npath = \"{tree}\"\nbranches = [\"main\"]\n\
             [[lists]]\naddress = \"{LIST}\"\ntrees = [\"toy\"]\n",
            out = dir.path().join("out").display(),
            tree = tree.path().display(),
        );
        std::fs::write(dir.path().join("config.toml"), config).expect("a file can be written");
        std::fs::write(dir.path().join("list.mbox"), mbox(mails)).expect("a file can be written");
        Self { dir, _tree: tree }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let (config, database) = (self.path("config.toml"), self.database());
        let mut line = vec!["--config", config.as_str(), "--database", database.as_str()];
        line.extend(arguments);
        lorelintd(&line, b"").await
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).await;
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.errors);
        ended.output
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.path("db.sqlite"))
    }

    async fn ingest(&self) {
        self.ok(&[
            "ingest",
            &format!("mbox:{}", self.path("list.mbox")),
            "--list",
            LIST,
            "--once",
        ])
        .await;
    }

    async fn store(&self) -> Store {
        Store::open(&self.database())
            .await
            .expect("the database opens")
    }
}

async fn only_page(store: &Store) -> lorelintd::model::SeriesPage {
    let list = store
        .series_list(&SeriesFilter::default(), <_>::default())
        .await;
    let series = list.expect("series can be listed").items;
    assert_eq!(series.len(), 1);
    store
        .series_page(series[0].id)
        .await
        .expect("the page is read")
        .expect("the series is here")
}

#[tokio::test]
async fn a_flaw_goes_from_the_list_to_the_outbox_and_out_once() {
    let service = Service::new(&[flawed_patch()]);
    service.ingest().await;
    assert_eq!(
        service.ok(&["work", "--until-idle"]).await,
        "jobs done 1, attempts failed 0, jobs left 0\n"
    );

    let store = service.store().await;
    let page = only_page(&store).await;
    assert_eq!(page.summary.review, ReviewState::Linted);
    assert_eq!(page.patches[0].state, PatchState::Applied);
    let rules: Vec<_> = page.new.iter().map(|it| it.detail.rule.as_str()).collect();
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert_eq!(
        page.new[0].detail.statement,
        "atomic_set(&inode->i_count, 1);"
    );
    assert_eq!(page.patches[0].new.len(), 1);
    assert_eq!(page.outbox.len(), 1);
    assert_eq!(page.outbox[0].state, OutboxState::Pending);
    assert!(!Path::new(&service.path("out")).exists());
    store.close().await;

    service.ok(&["outbox", "approve", "1"]).await;
    service.ok(&["work", "--until-idle"]).await;
    let sent: Vec<_> = std::fs::read_dir(service.path("out")).unwrap().collect();
    assert_eq!(sent.len(), 1);
    let again = service.run(&["outbox", "approve", "1"]).await;
    assert_eq!(
        (again.code, again.errors.as_str()),
        (
            1,
            "lorelintd: outbox item 1 is sent: only pending can be changed\n"
        )
    );
    assert_eq!(
        service.ok(&["work", "--until-idle"]).await,
        "jobs done 0, attempts failed 0, jobs left 0\n"
    );
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let service = Service::new(&[flawed_patch()]);
    service.ingest().await;
    service.ok(&["work", "--until-idle"]).await;
    let before = service.ok(&["export", "series", "--format", "jsonl"]).await;
    service.ingest().await;
    assert_eq!(
        service.ok(&["work", "--until-idle"]).await,
        "jobs done 0, attempts failed 0, jobs left 0\n"
    );
    assert_eq!(
        service.ok(&["export", "series", "--format", "jsonl"]).await,
        before
    );
    assert_eq!(
        before,
        "{\"id\":1,\"list\":[\"list@lists.example\"],\"title\":\"toy: keep the inode\",\
         \"author\":\"Ann Author <ann@dev.example>\",\"version\":1,\"total\":1,\"complete\":true,\"cover\":null,\
         \"patches\":[\"flawed@x\"],\"supersedes\":null,\"state\":\"complete\"}\n"
    );
}

#[tokio::test]
async fn a_patch_that_does_not_apply_is_a_state_with_a_reason() {
    let service = Service::new(&[Mail::patch(
        "other@x",
        "[PATCH] toy: other",
        "fs/toy/inode.c",
    )]);
    service.ingest().await;
    service.ok(&["work", "--until-idle"]).await;
    let page = only_page(&service.store().await).await;
    assert_eq!(page.summary.review, ReviewState::DoesNotApply);
    assert_eq!(page.patches[0].state, PatchState::DoesNotApply);
    assert!(page.patches[0].reason.is_some());
    assert!(page.outbox.is_empty());
}

#[tokio::test]
async fn wrong_commands_say_what_is_wrong() {
    let service = Service::new(&[]);
    let cases: &[(&[&str], u8, &str)] = &[
        (
            &["outbox", "approve", "7"],
            1,
            "lorelintd: there is no outbox item 7\n",
        ),
        (
            &["outbox", "reject", "x"],
            1,
            "lorelintd: \"x\" is no id of the outbox; `lorelintd outbox list` shows them\n",
        ),
        (
            &["ingest", "foo:bar", "--list", LIST],
            1,
            "lorelintd: unknown source \"foo:bar\": use public-inbox:DIR or public-inbox:URL, mbox:FILE, maildir:DIR, nntp[s]://HOST/GROUP, imap[s]://USER@HOST/FOLDER or - for standard input\n",
        ),
        (
            &["ingest", "mbox:x", "--list", "nobody"],
            1,
            "lorelintd: --list \"nobody\" is no address such as linux-fsdevel@vger.kernel.org\n",
        ),
    ];
    for (arguments, code, errors) in cases {
        let ended = service.run(arguments).await;
        assert_eq!(
            (ended.code, ended.errors.as_str()),
            (*code, *errors),
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn a_delivery_that_cannot_be_stored_is_to_be_tried_again() {
    let ended = lorelintd(
        &[
            "--database",
            "sqlite:/dev/null/x.sqlite",
            "deliver",
            "--list",
            LIST,
        ],
        &flawed_patch().raw(),
    )
    .await;
    assert_eq!(ended.code, 75, "{}", ended.errors);
}

#[tokio::test]
async fn the_example_configuration_is_valid() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/example.toml");
    let ended = lorelintd(
        &[
            "--config",
            example,
            "--database",
            "sqlite:x",
            "config",
            "check",
        ],
        b"",
    )
    .await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
}
