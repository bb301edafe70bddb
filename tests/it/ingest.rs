//! From sources to series: nothing lost, nothing twice, ids that stay.

use lorelint_tests::app::TestStore;
use lorelint_tests::listmail::{Commit, Mail, mbox, small_series, write_archive, write_epoch};
use lorelint_tests::material;
use lorelintd::ingest::{IngestError, SourceSpec, deliver, ingest};
use lorelintd::model::{
    IngestCounts, PageRequest, SeriesFilter, SeriesState, SeriesSummary, Timestamp,
};
use lorelintd::store::Store;

const LIST: &str = "list@lists.example";
const NOW: Timestamp = Timestamp::from_seconds(1_767_400_000);

async fn read(store: &Store, list: &str, source: &SourceSpec) -> IngestCounts {
    ingest(store, list, source, NOW, |_| {})
        .await
        .expect("the source is read")
}

async fn hand_over(store: &Store, mail: &Mail) {
    deliver(store, LIST, mail.raw(), NOW)
        .await
        .expect("the mail is stored");
}

async fn series(store: &Store) -> Vec<SeriesSummary> {
    let page = store
        .series_list(&SeriesFilter::default(), PageRequest::default())
        .await;
    page.expect("series can be listed").items
}

fn raws(mails: &[Mail]) -> Vec<Vec<u8>> {
    mails.iter().map(Mail::raw).collect()
}

fn commits(raws: &[Vec<u8>]) -> Vec<Commit<'_>> {
    raws.iter().map(|it| Commit::Mail(it)).collect()
}

#[tokio::test]
async fn an_archive_is_read_once_and_followed() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let archive = write_archive(test.dir.path(), &commits(&mails[..2]));
    let source = SourceSpec::PublicInbox(archive);
    let first = read(&test.store, LIST, &source).await;
    assert_eq!((first.read, first.stored, first.series), (2, 2, 1));
    assert_eq!(
        read(&test.store, LIST, &source).await,
        IngestCounts::default()
    );
    let before = series(&test.store).await;
    assert_eq!(
        (before[0].state, before[0].received),
        (SeriesState::Incomplete, 1)
    );

    write_archive(test.dir.path(), &commits(&mails));
    let next = read(&test.store, LIST, &source).await;
    assert_eq!((next.read, next.stored, next.series), (1, 1, 1));
    let after = series(&test.store).await;
    assert_eq!(
        (after[0].state, after[0].received),
        (SeriesState::Complete, 2)
    );
    assert_eq!(after[0].id, before[0].id);
    assert_eq!(after[0].title, "fs: both");
}

#[tokio::test]
async fn an_archive_behind_a_url_is_mirrored_and_followed() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let archive = write_archive(test.dir.path(), &commits(&mails[..2]));
    let url = format!("public-inbox:file://{}", archive.display());
    let source = SourceSpec::parse(&url).unwrap();
    assert_eq!(read(&test.store, LIST, &source).await.stored, 2);
    write_archive(test.dir.path(), &commits(&mails));
    let next = read(&test.store, LIST, &source).await;
    assert_eq!((next.read, next.stored), (1, 1));
    assert_eq!(
        read(&test.store, LIST, &source).await,
        IngestCounts::default()
    );
}

#[tokio::test]
async fn new_epochs_are_found_here_and_behind_a_url() {
    let mails = raws(&small_series());
    let all = commits(&mails);
    let dir = tempfile::tempdir().unwrap();
    let archive = write_epoch(dir.path(), 0, &all[..1]);
    let url = format!("public-inbox:file://{}", archive.display());
    for source in [
        SourceSpec::parse(&url).unwrap(),
        SourceSpec::PublicInbox(archive.clone()),
    ] {
        let test = TestStore::new().await;
        drop(std::fs::remove_dir_all(archive.join("git/1.git")));
        drop(std::fs::remove_dir_all(archive.join("git/2.git")));
        assert_eq!(read(&test.store, LIST, &source).await.stored, 1);
        // An epoch that was made and has no mail yet, and then one with the rest.
        write_epoch(dir.path(), 1, &[]);
        assert_eq!(
            read(&test.store, LIST, &source).await,
            IngestCounts::default()
        );
        write_epoch(dir.path(), 1, &all[1..2]);
        write_epoch(dir.path(), 2, &all[2..]);
        let counts = read(&test.store, LIST, &source).await;
        assert_eq!((counts.read, counts.stored), (2, 2), "{source}");
        assert_eq!(series(&test.store).await[0].state, SeriesState::Complete);
        assert_eq!(
            read(&test.store, LIST, &source).await,
            IngestCounts::default()
        );
    }
}

#[tokio::test]
async fn the_bar_of_a_first_import_counts_all_epochs() {
    let test = TestStore::new().await;
    let mails: Vec<Vec<u8>> = (0..3000)
        .map(|it| Mail::new(&format!("m{it}@x"), &format!("Words {it}")).raw())
        .collect();
    let all = commits(&mails);
    write_epoch(test.dir.path(), 0, &all[..1500]);
    let archive = write_epoch(test.dir.path(), 1, &all[1500..]);
    let mut bar = Vec::new();
    let source = SourceSpec::PublicInbox(archive);
    let counts = ingest(&test.store, LIST, &source, NOW, |it| {
        bar.push((it.counts.read, it.remaining));
    });
    counts.await.unwrap();
    let totals: Vec<u64> = bar.iter().map(|it| it.0 + it.1.unwrap_or(0)).collect();
    assert!(
        bar.len() > 2 && bar.last() == Some(&(3000, Some(0))),
        "{bar:?}"
    );
    // A later epoch is estimated by its pack: its trees may be fewer than its mails.
    assert!(
        totals.iter().all(|it| (2900..=3000).contains(it)),
        "{bar:?}"
    );
}

#[tokio::test]
async fn one_bad_source_does_not_stop_the_others() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let good = SourceSpec::PublicInbox(write_archive(test.dir.path(), &commits(&mails)));
    let bad = SourceSpec::Mbox(test.dir.path().join("missing.mbox"));
    let error = ingest(&test.store, LIST, &bad, NOW, |_| {}).await;
    assert!(matches!(error, Err(IngestError::Source(_))), "{error:?}");
    assert_eq!(read(&test.store, LIST, &good).await.stored, 3);
}

#[tokio::test]
async fn rewritten_history_stores_nothing_twice() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let source = SourceSpec::PublicInbox(write_archive(test.dir.path(), &commits(&mails)));
    read(&test.store, LIST, &source).await;
    let mut purged = commits(&mails);
    purged[0] = Commit::Mail(b"");
    let last = Mail::new("r@x", "Re: [PATCH 1/2] fs: one")
        .under("p1@x")
        .raw();
    purged.push(Commit::Mail(&last));
    write_archive(test.dir.path(), &purged);
    let again = read(&test.store, LIST, &source).await;
    assert_eq!(
        (again.read, again.known, again.stored, again.skipped),
        (3, 2, 1, 1)
    );
    assert_eq!(series(&test.store).await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_the_archive_took_back_has_no_place() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let mut all = commits(&mails);
    all.push(Commit::Removed(&mails[2]));
    let source = SourceSpec::PublicInbox(write_archive(test.dir.path(), &all));
    let counts = read(&test.store, LIST, &source).await;
    assert_eq!((counts.stored, counts.skipped), (3, 1));
    assert_eq!(series(&test.store).await[0].received, 1);
}

#[tokio::test]
async fn a_mail_through_two_lists_is_one_mail_on_two_lists() {
    let test = TestStore::new().await;
    let mails = raws(&small_series());
    let source = SourceSpec::PublicInbox(write_archive(test.dir.path(), &commits(&mails)));
    read(&test.store, "b@lists.example", &source).await;
    let second = read(&test.store, "a@lists.example", &source).await;
    assert_eq!((second.known, second.stored, second.series), (3, 0, 1));
    let series = series(&test.store).await;
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].lists, ["a@lists.example", "b@lists.example"]);
}

#[tokio::test]
async fn one_message_id_with_two_bodies_keeps_both() {
    let test = TestStore::new().await;
    let mail = Mail::patch("p@x", "[PATCH] fs: one", "fs/one.c");
    let footer = Mail {
        body: format!("{}\n_____\nlist footer\n", mail.body),
        ..mail.clone()
    };
    hand_over(&test.store, &mail).await;
    hand_over(&test.store, &footer).await;
    let lists = test.store.lists().await.unwrap();
    assert_eq!(lists[0].mail_count, 2);
    assert_eq!(series(&test.store).await.len(), 1);
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let test = TestStore::new().await;
        let mails = small_series();
        let mut id = None;
        for position in order {
            hand_over(&test.store, &mails[position]).await;
            // A cover alone may be no series yet; once there is one, its id stays.
            let now = series(&test.store).await;
            if let (Some(before), Some(after)) = (id, now.first()) {
                assert_eq!(before, after.id, "{order:?}");
            }
            id = now.first().map(|it| it.id).or(id);
        }
        let all = series(&test.store).await;
        assert_eq!(all.len(), 1, "{order:?}");
        assert_eq!(
            (all[0].state, all[0].title.as_str()),
            (SeriesState::Complete, "fs: both"),
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn a_new_version_supersedes_the_old_one() {
    let test = TestStore::new().await;
    let first = Mail::patch("v1@x", "[PATCH] fs: one", "fs/one.c");
    let second = Mail::patch("v2@x", "[PATCH v2] fs: one", "fs/one.c")
        .under("v1@x")
        .at(30);
    hand_over(&test.store, &first).await;
    hand_over(&test.store, &second).await;
    let all = series(&test.store).await;
    let states: Vec<_> = all.iter().map(|it| (it.version, it.state)).collect();
    assert_eq!(
        states,
        [(2, SeriesState::Complete), (1, SeriesState::Superseded)]
    );
    let page = test.store.series_page(all[0].id).await.unwrap().unwrap();
    let versions: Vec<_> = page.versions.iter().map(|it| it.version).collect();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test]
async fn a_grown_mbox_is_read_from_where_it_ended() {
    let test = TestStore::new().await;
    let path = test.dir.path().join("list.mbox");
    let mails = small_series();
    std::fs::write(&path, mbox(&mails[..2])).unwrap();
    let source = SourceSpec::Mbox(path.clone());
    assert_eq!(read(&test.store, LIST, &source).await.stored, 2);
    std::fs::write(&path, mbox(&mails)).unwrap();
    let grown = read(&test.store, LIST, &source).await;
    assert_eq!((grown.read, grown.stored), (1, 1));
    // Another file under the same name is read from its start.
    std::fs::write(&path, mbox(&[Mail::new("n@x", "hello")])).unwrap();
    assert_eq!(read(&test.store, LIST, &source).await.stored, 1);
}

#[tokio::test]
async fn a_file_that_is_no_mbox_is_named() {
    let test = TestStore::new().await;
    let path = test.dir.path().join("notes");
    std::fs::write(&path, "my notes\n").unwrap();
    let result = ingest(
        &test.store,
        LIST,
        &SourceSpec::Mbox(path.clone()),
        NOW,
        |_| {},
    )
    .await;
    let expected = format!(
        "{} is no mbox: no line in it begins a mail (\"From ADDRESS DATE\")",
        path.display()
    );
    assert_eq!(result.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn a_maildir_is_read_in_the_order_of_its_names() {
    let test = TestStore::new().await;
    let root = test.dir.path().join("maildir");
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let mails = small_series();
    std::fs::write(root.join("cur/1.a:2,S"), mails[0].raw()).unwrap();
    std::fs::write(root.join("new/2.a"), mails[1].raw()).unwrap();
    std::fs::write(root.join("new/3.a"), mails[2].raw()).unwrap();
    std::fs::write(root.join("tmp/4.a"), "half a mail").unwrap();
    let source = SourceSpec::Maildir(root);
    assert_eq!(read(&test.store, LIST, &source).await.stored, 3);
    let again = read(&test.store, LIST, &source).await;
    assert_eq!((again.known, again.stored, again.series), (3, 0, 0));
}

#[tokio::test]
async fn a_bad_mail_is_refused_once_and_the_others_are_stored() {
    let test = TestStore::new().await;
    let good = Mail::new("g@x", "hello").raw();
    let bad = b"\x00\x01\x02 no header here \xff\xfe".to_vec();
    let source = write_archive(test.dir.path(), &[Commit::Mail(&bad), Commit::Mail(&good)]);
    let counts = read(&test.store, LIST, &SourceSpec::PublicInbox(source)).await;
    assert_eq!((counts.read, counts.stored, counts.refused), (2, 1, 1));
    let again = deliver(&test.store, LIST, bad, NOW).await;
    assert!(
        matches!(again, Err(IngestError::Refused { .. })),
        "{again:?}"
    );
    let refusals = test.store.refusals(10).await.unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        (refusals[0].list.as_str(), refusals[0].size_bytes),
        (LIST, 21)
    );
}

#[tokio::test]
async fn raw_mail_is_kept_byte_for_byte() {
    let test = TestStore::new().await;
    let mut raw = Mail::new("crlf@x", "odd bytes").raw();
    raw.extend_from_slice(b"trailing blanks  \r\nlatin-1 \xe9 and NUL \0\n");
    deliver(&test.store, LIST, raw.clone(), NOW).await.unwrap();
    let id = test
        .store
        .mail_by_message_id("crlf@x")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(test.store.raw_mail(id).await.unwrap(), Some(raw));
}

#[tokio::test]
async fn no_nasty_mail_stops_the_list() {
    let Some(folder) = material::shared("corpus/nasty/mail") else {
        return;
    };
    let test = TestStore::new().await;
    let files = material::sorted(&folder);
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        match deliver(&test.store, LIST, bytes, NOW).await {
            Ok(_) | Err(IngestError::Refused { .. }) => {}
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }
    let refused = test.store.lists().await.unwrap()[0].refused_count;
    assert!(refused < files.len() as u64, "all were refused");
}

#[tokio::test]
async fn every_message_of_a_real_month_is_stored() {
    let Some(folder) = material::shared("corpus") else {
        return;
    };
    let test = TestStore::new().await;
    for file in material::sorted(&folder) {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(month) = name.strip_suffix(".mbox.gz") else {
            continue;
        };
        let unpacked = material::unpacked(&file);
        let path = test.dir.path().join(month);
        let expected = unpacked
            .windows(15)
            .filter(|it| *it == b"\nFrom mboxrd@z ")
            .count() as u64
            + 1;
        std::fs::write(&path, unpacked).unwrap();
        let counts = read(&test.store, LIST, &SourceSpec::Mbox(path)).await;
        assert_eq!(counts.read, expected, "{month}");
        assert_eq!(
            counts.stored + counts.known + counts.refused,
            expected,
            "{month}"
        );
        assert_eq!(counts.refused, 0, "{month}");
    }
}
