//! What the `Journal` trait promises.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chatcore::journal::{self, Claim, Counts, Item, Lease, Recorded};
use chatcore::{
    BatchProcessor, BoxFuture, ChatRequest, ChatResponse, Error, ErrorKind, Executor, Journal,
    Message, Usage,
};
use futures_lite::future;

use crate::{Outcome, ensure};

/// How many items a case has, unless it says so: more than a chunk of the journal in files.
const ITEMS: usize = 300;

/// Where a run is kept: what is opened again after a crash, or by another worker.
type Open = dyn Fn() -> BoxFuture<'static, Result<Arc<dyn Journal>, Error>> + Send + Sync;

/// A journal under test: a way to keep a new run, and to open it again and again.
pub struct Keeper {
    make: Box<Make>,
}

type Make = dyn Fn(&Arc<dyn Executor>, Vec<(String, ChatRequest)>) -> Box<Open> + Send + Sync;

impl Keeper {
    /// `make` begins a new run with these items, each with its name, on an executor. What it gives
    /// opens the run: at first, and again when the journal that was opened before is dropped, as
    /// the next process would.
    pub fn new<F, O>(make: F) -> Self
    where
        F: Fn(&Arc<dyn Executor>, Vec<(String, ChatRequest)>) -> O + Send + Sync + 'static,
        O: Fn() -> BoxFuture<'static, Result<Arc<dyn Journal>, Error>> + Send + Sync + 'static,
    {
        Self {
            make: Box::new(move |executor, items| Box::new(make(executor, items))),
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

/// A run of a case.
struct Run {
    executor: Arc<dyn Executor>,
    open: Box<Open>,
    items: Vec<(String, ChatRequest)>,
}

impl Run {
    fn new(keeper: &Keeper, executor: Arc<dyn Executor>, items: usize) -> Self {
        let item = |number: usize| {
            let request = ChatRequest::new([Message::user(format!("prompt {number}, \"é\n"))])
                .model("m")
                .max_tokens(number as u32 + 1);
            (format!("item \"{number}\""), request)
        };
        let items: Vec<_> = (0..items).map(item).collect();
        let open = (keeper.make)(&executor, items.clone());
        Self {
            executor,
            open,
            items,
        }
    }

    async fn open(&self) -> Result<Arc<dyn Journal>, String> {
        let opened = (self.open)().await;
        opened.map_err(|error| format!("it cannot be opened: {error}"))
    }

    /// The next lease; none at the end. It waits as long as the journal says.
    async fn claim(&self, journal: &dyn Journal) -> Result<Option<(Lease, Vec<Item>)>, String> {
        loop {
            match journal.claim(10).await {
                Ok(Claim::Items(lease, items)) => {
                    ensure!(!items.is_empty(), "a lease has no items");
                    return Ok(Some((lease, items)));
                }
                Ok(Claim::Later(wait)) => self.executor.sleep(wait).await,
                Ok(Claim::End) => return Ok(None),
                Err(error) => return Err(format!("a claim failed: {error}")),
            }
        }
    }

    /// Records answers for the first `most` items of the run, and gives back the rest of a lease;
    /// the names of those that were recorded.
    async fn record_some(
        &self,
        journal: &dyn Journal,
        most: usize,
    ) -> Result<BTreeSet<String>, String> {
        let mut done = BTreeSet::new();
        while done.len() < most
            && let Some((lease, items)) = self.claim(journal).await?
        {
            for item in items {
                if done.len() == most {
                    break;
                }
                let recorded = record(journal, &lease, &item, answer()).await?;
                ensure!(
                    recorded == Recorded::First,
                    "the first result of {} came second",
                    item.id
                );
                ensure!(done.insert(item.id.clone()), "{} came twice", item.id);
            }
            released(journal, &lease).await?;
        }
        Ok(done)
    }

    fn names(&self) -> BTreeSet<String> {
        self.items.iter().map(|(id, _)| id.clone()).collect()
    }
}

fn answer() -> Result<ChatResponse, Error> {
    let mut answer = ChatResponse::default();
    answer.usage = Some(Usage::new(3, 2));
    Ok(answer)
}

async fn record(
    journal: &dyn Journal,
    lease: &Lease,
    item: &Item,
    result: Result<ChatResponse, Error>,
) -> Result<Recorded, String> {
    let outcome = journal::Outcome {
        place: item.place,
        id: item.id.clone(),
        tag: item.tag,
        result,
        took: Duration::from_millis(5),
    };
    let recorded = journal.record(lease, &outcome).await;
    recorded.map_err(|error| format!("a result was not recorded: {error}"))
}

async fn released(journal: &dyn Journal, lease: &Lease) -> Outcome {
    let released = journal.release(lease).await;
    released.map_err(|error| format!("a lease was not released: {error}"))
}

/// Every item comes once, as it was put in.
pub(crate) async fn every_item_is_handed_out_once(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, executor, ITEMS);
    let journal = run.open().await?;
    let mut seen = BTreeSet::new();
    let mut leases = BTreeSet::new();
    while let Some((lease, items)) = run.claim(&*journal).await? {
        ensure!(
            leases.insert((lease.chunk, lease.fence)),
            "two leases are {lease:?}"
        );
        for item in items {
            let known = run.items.iter().find(|(id, _)| *id == item.id);
            let Some((_, request)) = known else {
                return Err(format!("nobody has put in {:?}", item.id));
            };
            let same = item.request.as_ref().is_ok_and(|read| read == request);
            ensure!(same, "{} came as {:?}", item.id, item.request);
            ensure!(
                seen.insert(item.place),
                "the place {} came twice",
                item.place
            );
            record(&*journal, &lease, &item, answer()).await?;
        }
    }
    ensure!(seen.len() == ITEMS, "{} items of {ITEMS} came", seen.len());
    Ok(())
}

/// The first result stays.
pub(crate) async fn the_first_result_stays(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, executor, 3);
    let journal = run.open().await?;
    let Some((lease, items)) = run.claim(&*journal).await? else {
        return Err("three items, and no lease".to_owned());
    };
    let error = || Err(Error::new(ErrorKind::Server, "no"));
    record(&*journal, &lease, &items[0], answer()).await?;
    for result in [answer(), error()] {
        let again = record(&*journal, &lease, &items[0], result).await?;
        ensure!(
            again == Recorded::Already,
            "a second result counts as the first"
        );
    }
    let counts = counts(&*journal).await?;
    ensure!(
        (counts.done, counts.failed) == (1, 0),
        "one answer counts as {counts:?}"
    );
    Ok(())
}

async fn counts(journal: &dyn Journal) -> Result<Counts, String> {
    let counts = journal.progress().await;
    counts.map_err(|error| format!("the progress is not known: {error}"))
}

/// What is recorded is not handed out again, by whoever opens the run next.
pub(crate) async fn what_is_recorded_stays(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, executor, ITEMS);
    let journal = run.open().await?;
    let first = run.record_some(&*journal, ITEMS / 2).await?;
    let synced = journal.sync().await;
    synced.map_err(|error| format!("a sync failed: {error}"))?;
    drop(journal);
    let journal = run.open().await?;
    let counts = counts(&*journal).await?;
    ensure!(
        counts.done as usize == first.len(),
        "{} are recorded, and {} are known",
        first.len(),
        counts.done
    );
    let second = run.record_some(&*journal, ITEMS).await?;
    let both: Vec<_> = first.intersection(&second).collect();
    ensure!(both.is_empty(), "handed out again: {both:?}");
    let all: BTreeSet<_> = first.union(&second).cloned().collect();
    ensure!(all == run.names(), "an item is lost");
    Ok(())
}

/// What a lease had left comes again when it was released, and nothing else of it.
pub(crate) async fn what_is_released_comes_again(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, executor, 40);
    let journal = run.open().await?;
    let Some((lease, items)) = run.claim(&*journal).await? else {
        return Err("40 items, and no lease".to_owned());
    };
    record(&*journal, &lease, &items[0], answer()).await?;
    released(&*journal, &lease).await?;
    // Once more is no error.
    released(&*journal, &lease).await?;
    let rest = run.record_some(&*journal, 40).await?;
    ensure!(!rest.contains(&items[0].id), "a recorded item came again");
    ensure!(rest.len() == 39, "{} of 39 came again", rest.len());
    Ok(())
}

/// Counts and tokens add up, errors are results.
pub(crate) async fn counts_add_up(keeper: &Keeper, executor: Arc<dyn Executor>) -> Outcome {
    let run = Run::new(keeper, executor, 30);
    let journal = run.open().await?;
    let mut number = 0;
    while let Some((lease, items)) = run.claim(&*journal).await? {
        for item in items {
            number += 1;
            let result = match number % 3 {
                0 => Err(Error::new(ErrorKind::Server, "no")),
                _ => answer(),
            };
            record(&*journal, &lease, &item, result).await?;
        }
    }
    for journal in [Some(journal), None] {
        let journal = match journal {
            Some(journal) => journal,
            None => run.open().await?,
        };
        let seen = counts(&*journal).await?;
        ensure!(
            (seen.done, seen.failed) == (20, 10),
            "20 answers and 10 errors count as {seen:?}"
        );
        ensure!(
            (seen.input_tokens, seen.output_tokens) == (60, 40),
            "60 and 40 tokens count as {seen:?}"
        );
        ensure!(
            seen.total.is_none_or(|total| total == 30),
            "30 items count as {:?}",
            seen.total
        );
        ensure!(
            run.claim(&*journal).await?.is_none(),
            "an item with a result came again"
        );
    }
    Ok(())
}

/// A claim that is dropped, after it was polled or not, loses nothing.
pub(crate) async fn a_dropped_claim_loses_nothing(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, executor, 40);
    let journal = run.open().await?;
    drop(journal.claim(1));
    // Whoever is given a lease in this one poll holds it.
    let mut held = None;
    if let Some(claimed) = future::poll_once(journal.claim(1)).await {
        held = claimed.ok();
    }
    if let Some(Claim::Items(lease, _)) = &held {
        released(&*journal, lease).await?;
    }
    let all = run.record_some(&*journal, 40).await?;
    ensure!(all == run.names(), "{} of 40 items came", all.len());
    Ok(())
}

/// Many results at once are all recorded.
pub(crate) async fn results_come_together(keeper: &Keeper, executor: Arc<dyn Executor>) -> Outcome {
    let run = Run::new(keeper, executor, 100);
    let journal = run.open().await?;
    while let Some((lease, items)) = run.claim(&*journal).await? {
        let all = items
            .iter()
            .map(|item| Box::pin(record(&*journal, &lease, item, answer())));
        for recorded in futures_util::future::join_all(all).await {
            ensure!(recorded? == Recorded::First, "a first result came second");
        }
    }
    drop(journal);
    let journal = run.open().await?;
    let counts = counts(&*journal).await?;
    ensure!(counts.done == 100, "100 answers count as {counts:?}");
    Ok(())
}

/// A batch over the journal comes to its end, and one over what is done sends nothing.
pub(crate) async fn a_batch_comes_to_its_end(
    keeper: &Keeper,
    executor: Arc<dyn Executor>,
) -> Outcome {
    let run = Run::new(keeper, Arc::clone(&executor), ITEMS);
    let mut results = 0;
    for expected in [ITEMS, 0] {
        let journal = run.open().await?;
        let batch = BatchProcessor::new(Arc::clone(&executor), |_: ChatRequest| async {
            future::yield_now().await;
            answer()
        });
        let mut batch = batch.max_workers(20).process_journal(journal);
        let before = results;
        while let Some(finished) = batch.next().await {
            finished.map_err(|error| format!("the batch failed: {error}"))?;
            results += 1;
        }
        let came = results - before;
        ensure!(came == expected, "{came} results in place of {expected}");
    }
    Ok(())
}
