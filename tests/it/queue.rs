//! The queue: leases, fencing, retries, dead letters.

use std::time::Duration;

use lorelint_tests::app::TestStore;
use lorelintd::model::{JobKind, JobState, Timestamp};
use lorelintd::queue::{Worked, Worker, enqueue};
use lorelintd::store::Store;

const KINDS: &[JobKind] = &[JobKind::LintSeries];

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_400_000 + seconds)
}

fn clock() -> Timestamp {
    at(0)
}

async fn claim(store: &Store, worker: &str, seconds: i64) -> Option<lorelintd::model::Claim> {
    let times = (at(seconds), at(seconds + 60));
    store
        .claim_job(worker, KINDS, times)
        .await
        .expect("the queue answers")
}

async fn states(store: &Store) -> Vec<(JobState, u64)> {
    let counts = store
        .jobs_summary()
        .await
        .expect("the queue answers")
        .counts;
    counts.iter().map(|it| (it.state, it.count)).collect()
}

fn worker(store: &Store) -> Worker {
    Worker {
        store: store.clone(),
        name: "w".to_owned(),
        kinds: KINDS.to_vec(),
        lease: Duration::from_mins(1),
        clock,
    }
}

#[tokio::test]
async fn one_subject_is_one_job_and_one_worker_gets_it() {
    let test = TestStore::new().await;
    let first = enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    let second = enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    assert_eq!(first, second);
    assert!(claim(&test.store, "a", 0).await.is_some());
    assert!(claim(&test.store, "b", 0).await.is_none());
}

#[tokio::test]
async fn a_job_of_another_kind_is_left_alone() {
    let test = TestStore::new().await;
    enqueue(&test.store, JobKind::SendReply, "1", at(0))
        .await
        .unwrap();
    assert!(claim(&test.store, "a", 0).await.is_none());
}

#[tokio::test]
async fn a_lost_worker_loses_its_job_and_its_word() {
    let test = TestStore::new().await;
    enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    let lost = claim(&test.store, "a", 0).await.unwrap();
    let next = claim(&test.store, "b", 61).await.unwrap();
    assert_eq!((lost.id, next.attempt), (next.id, 2));
    assert!(!test.store.heartbeat_job(&lost, at(200)).await.unwrap());
    assert!(!test.store.complete_job(&lost, at(62)).await.unwrap());
    assert!(test.store.complete_job(&next, at(62)).await.unwrap());
}

#[tokio::test]
async fn a_heartbeat_keeps_the_job() {
    let test = TestStore::new().await;
    enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    let held = claim(&test.store, "a", 0).await.unwrap();
    assert!(test.store.heartbeat_job(&held, at(120)).await.unwrap());
    assert!(claim(&test.store, "b", 100).await.is_none());
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_buried() {
    let test = TestStore::new().await;
    enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    let mut attempts = 0;
    for round in 0..20 {
        attempts += u32::from(claim(&test.store, "a", round * 100).await.is_some());
    }
    assert_eq!(attempts, 5);
    assert_eq!(states(&test.store).await, [(JobState::Dead, 1)]);
}

#[tokio::test]
async fn a_job_asked_for_while_it_runs_runs_once_more() {
    let test = TestStore::new().await;
    enqueue(&test.store, JobKind::LintSeries, "1", at(0))
        .await
        .unwrap();
    let running = claim(&test.store, "a", 0).await.unwrap();
    enqueue(&test.store, JobKind::LintSeries, "1", at(1))
        .await
        .unwrap();
    assert!(test.store.complete_job(&running, at(2)).await.unwrap());
    let again = claim(&test.store, "a", 2).await.unwrap();
    assert!(test.store.complete_job(&again, at(3)).await.unwrap());
    assert_eq!(states(&test.store).await, [(JobState::Done, 1)]);
}

#[tokio::test]
async fn a_panic_is_the_failure_of_one_job() {
    let test = TestStore::new().await;
    for subject in ["bad", "good"] {
        enqueue(&test.store, JobKind::LintSeries, subject, at(0))
            .await
            .unwrap();
    }
    let worked = worker(&test.store)
        .until_idle(|claim| async move {
            assert!(claim.subject != "bad", "this one breaks");
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(worked, Worked { done: 1, failed: 1 });
    let failures = test.store.jobs_summary().await.unwrap().failures;
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (
            failures[0].state,
            failures[0].error.as_str(),
            failures[0].due_at
        ),
        (JobState::Queued, "it panicked: this one breaks", at(30))
    );
}
