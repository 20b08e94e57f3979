//! Takes items from the journal, and fills batches with them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::control::BatchEvent;
use super::driver::{Driver, Held, Pause, Sent};
use super::places::Places;
use super::store::Record;
use crate::chat::ChatRequest;
use crate::client::{BatchBody, BatchItem};
use crate::dialect::batches::BatchLimits;
use crate::error::{Error, ErrorKind};
use crate::journal::{Claim, Item, Lease, Outcome};
use crate::policy::estimate::{ANSWER, estimate_tokens};
use crate::time::Instant;

/// How often a claim that takes long is reported. After that time, a journal that does not know how
/// many items it has counts as waiting for those that it has handed out already.
const CLAIM: Duration = Duration::from_secs(60);

/// How long the journal may hand out nothing although it has more items.
const LONGEST_CLAIM: Duration = Duration::from_secs(30 * 60);

/// One pass over the items without a result.
#[derive(Default)]
pub(super) struct Pass {
    /// The leases that were taken.
    leases: Vec<Lease>,
    /// How many items the journal has handed out, and how many it has, if that is known.
    seen: u64,
    to_see: Option<u64>,
    /// Whether the journal has no more.
    is_at_end: bool,
    has_begun: bool,
    number: u64,
    /// Whether items were handed out that are in no batch and have no result.
    pub(super) has_skipped: bool,
}

impl Pass {
    /// An item was recorded that the journal handed out in the pass with this number. It does not
    /// hand out the item again.
    pub(super) fn recorded(&mut self, number: u64) {
        if number != self.number
            && let Some(to_see) = &mut self.to_see
        {
            *to_see = to_see.saturating_sub(1);
        }
    }

    fn is_over(&self) -> bool {
        self.is_at_end || self.has_seen_all()
    }

    fn has_seen_all(&self) -> bool {
        self.to_see.is_some_and(|all| self.seen >= all)
    }
}

/// What the journal hands out.
enum Claimed {
    Items(Lease, Vec<Item>),
    /// Nothing now, or the caller wants the filling to end.
    Nothing,
    /// Nothing more in this pass.
    End,
}

/// A batch that is being filled.
pub(super) struct Filling {
    pub(super) name: String,
    /// The path and the model that its requests have in common.
    group: (String, String),
    pub(super) body: BatchBody,
    pub(super) items: Vec<(u64, Held)>,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

impl Filling {
    pub(super) fn path(&self) -> &str {
        &self.group.0
    }

    /// What is stored about the batch.
    pub(super) fn record(&self) -> Record {
        let mut items = Places::default();
        for (place, _) in &self.items {
            items.push(*place);
        }
        Record {
            name: self.name.clone(),
            path: self.path().to_owned(),
            items,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            ..Record::default()
        }
    }
}

impl Driver {
    /// Creates batches of the items that are in none, as many as there may be. A pass that
    /// `meets_all` goes on to its end, because every item of the stored batches must be met once.
    pub(super) async fn fill(&mut self, meets_all: bool) -> Result<(), Error> {
        let mut filling = Vec::new();
        loop {
            if self.ends_filling(meets_all) {
                self.pass.has_skipped |= !filling.is_empty();
                return Ok(());
            }
            if !self.pass.has_begun {
                self.begin_pass().await?;
            }
            if self.pass.is_over() {
                self.has_met_all = true;
                self.submit_all(&mut filling).await?;
                if self.pass.has_skipped && self.may_create(0) {
                    self.release().await?;
                    continue;
                }
                return Ok(());
            }
            if !meets_all && filling.is_empty() && !self.may_create(0) {
                return Ok(());
            }
            let claimed = self.claim(meets_all).await?;
            match claimed {
                Claimed::Items(lease, items) => self.take_all(lease, items, &mut filling).await?,
                Claimed::End => self.pass.is_at_end = true,
                Claimed::Nothing if meets_all => {}
                Claimed::Nothing => return self.submit_all(&mut filling).await,
            }
        }
    }

    /// Whether the caller's orders end the filling. A pass that must meet all items goes on if
    /// batches are cancelled, because their results are recorded.
    fn ends_filling(&self, meets_all: bool) -> bool {
        let orders = self.control.orders();
        match meets_all {
            true => orders.stops && !orders.cancels,
            false => orders.stops || orders.cancels,
        }
    }

    /// Submits the batches that are not full, as far as there may be as many.
    async fn submit_all(&mut self, filling: &mut Vec<Filling>) -> Result<(), Error> {
        while let Some(full) = filling.pop() {
            match self.has_place(0) {
                true => self.submit(full).await?,
                false => self.pass.has_skipped = true,
            }
        }
        Ok(())
    }

    /// Whether items are left that are in no batch and have no result.
    pub(super) fn has_left(&self) -> bool {
        self.pass.has_skipped || !self.pass.is_over()
    }

    /// Whether another batch may be created beside those at the provider and `filling` others.
    fn may_create(&self, filling: usize) -> bool {
        !self.is_capped && self.has_place(filling)
    }

    /// The same without the cap.
    fn has_place(&self, filling: usize) -> bool {
        let orders = self.control.orders();
        self.pause == Pause::No
            && !orders.cancels
            && !orders.stops
            && self.records.batches.len() + filling < self.settings.max_batches
    }

    async fn begin_pass(&mut self) -> Result<(), Error> {
        self.counts = self.journal.progress().await?;
        let total = self.counts.total;
        self.pass = Pass {
            to_see: total.map(|total| total.saturating_sub(self.counts.finished())),
            has_begun: true,
            number: self.pass.number + 1,
            ..Pass::default()
        };
        Ok(())
    }

    /// Gives all items back to the journal, which hands out those without a result again.
    pub(super) async fn release(&mut self) -> Result<(), Error> {
        for lease in std::mem::take(&mut self.pass.leases) {
            self.journal.release(&lease).await?;
        }
        self.pass.has_begun = false;
        Ok(())
    }

    /// Claims items. Waits for a slow journal, because the results of an item that was not handed
    /// out cannot be recorded.
    ///
    /// # Errors
    /// Those of the journal, and one if it keeps back items of the stored batches.
    async fn claim(&mut self, meets_all: bool) -> Result<Claimed, Error> {
        let (journal, executor) = (Arc::clone(&self.journal), Arc::clone(&self.executor));
        let began = executor.now();
        loop {
            let mut claim = journal.claim(self.max_requests);
            let claimed = loop {
                let patience = std::pin::pin!(self.control.sleep(&*executor, CLAIM));
                match select(claim, patience).await {
                    Either::Left((claimed, _)) => break claimed?,
                    Either::Right(((), still)) => claim = still,
                }
                if self.ends_filling(meets_all) {
                    return Ok(Claimed::Nothing);
                }
                if self.pass.to_see.is_none() && !self.has_unmet() {
                    return Ok(Claimed::End);
                }
                self.report_slow_claim(began)?;
            };
            match claimed {
                Claim::Items(lease, items) => return Ok(Claimed::Items(lease, items)),
                Claim::End if self.has_unmet() && self.pass.to_see.is_some() => {
                    return Err(kept_back());
                }
                Claim::End => return Ok(Claimed::End),
                Claim::Later(_) if self.pass.to_see.is_none() && !self.has_unmet() => {
                    return Ok(Claimed::End);
                }
                Claim::Later(_) if !meets_all => return Ok(Claimed::Nothing),
                Claim::Later(wait) => {
                    self.control.sleep(&*executor, wait).await;
                    if self.ends_filling(meets_all) {
                        return Ok(Claimed::Nothing);
                    }
                    if executor.now() - began >= LONGEST_CLAIM {
                        return Err(kept_back());
                    }
                }
            }
        }
    }

    /// Tells the caller that the journal is slow.
    ///
    /// # Errors
    /// After [`LONGEST_CLAIM`].
    fn report_slow_claim(&self, began: Instant) -> Result<(), Error> {
        if self.executor.now() - began >= LONGEST_CLAIM {
            return Err(kept_back());
        }
        let error = Error::new(
            ErrorKind::Journal,
            "the journal takes long to hand out items",
        );
        let wait = CLAIM;
        self.control.tell(BatchEvent::Trouble { error, wait });
        Ok(())
    }

    /// Whether items of a stored batch were not handed out in this process. They may have results
    /// already; only the end of a pass tells.
    fn has_unmet(&self) -> bool {
        !self.has_met_all && self.sent.values().any(|sent| sent.item.is_none())
    }

    async fn take_all(
        &mut self,
        lease: Lease,
        items: Vec<Item>,
        filling: &mut Vec<Filling>,
    ) -> Result<(), Error> {
        if lease.lasts.is_some() {
            self.journal.release(&lease).await?;
            let why = "a run through the provider's Batch API needs a journal whose leases do not \
                       expire, such as that of files";
            return Err(Error::config(why));
        }
        self.pass.leases.push(lease.clone());
        for item in items {
            self.pass.seen += 1;
            self.take(item, &lease, filling).await?;
        }
        Ok(())
    }

    /// Puts an item into a batch, unless it is in one already.
    async fn take(
        &mut self,
        item: Item,
        lease: &Lease,
        filling: &mut Vec<Filling>,
    ) -> Result<(), Error> {
        let held = Held {
            id: item.id,
            tag: item.tag,
            lease: lease.clone(),
            pass: self.pass.number,
        };
        if let Some(sent) = self.sent.get_mut(&item.place) {
            sent.item = Some(held);
            return Ok(());
        }
        let request = match (item.request, &self.settings.prepare) {
            (Ok(request), Some(prepare)) => Ok(prepare(request)),
            (request, _) => request,
        };
        let (group, tokens, encoded) = match request.and_then(|request| self.encode(request)) {
            Ok(encoded) => encoded,
            Err(error) => return self.record_one(item.place, held, error).await,
        };
        let found = filling.iter().position(|other| other.group == group);
        let at = match found {
            Some(at) if filling[at].body.has_room(&encoded, self.limits()) => at,
            full => {
                if let Some(at) = full {
                    let full = filling.swap_remove(at);
                    self.submit(full).await?;
                }
                if !self.may_create(filling.len()) {
                    self.pass.has_skipped = true;
                    return Ok(());
                }
                let body = self.batches.body();
                if !body.has_room(&encoded, self.limits()) {
                    let why = format!(
                        "the request has {} bytes, more than a batch of the provider may have",
                        encoded.body.len()
                    );
                    return self.record_one(item.place, held, Error::invalid(why)).await;
                }
                filling.push(self.new_filling(group, body));
                filling.len() - 1
            }
        };
        if self.is_over_cap(filling, tokens) {
            self.is_capped = true;
            self.pass.has_skipped = true;
            if filling[at].items.is_empty() {
                filling.swap_remove(at);
            }
            return Ok(());
        }
        let open = &mut filling[at];
        let id = item_id(&open.name, item.place, held.tag);
        open.body.add(&id, &encoded);
        open.items.push((item.place, held));
        open.input_tokens = open.input_tokens.saturating_add(tokens.0);
        open.output_tokens = open.output_tokens.saturating_add(tokens.1);
        self.bound_memory(filling).await
    }

    /// Submits the largest body, if all together are larger than a batch may be.
    async fn bound_memory(&mut self, filling: &mut Vec<Filling>) -> Result<(), Error> {
        if filling.len() < 2 {
            return Ok(());
        }
        let bytes: usize = filling.iter().map(|filling| filling.body.bytes()).sum();
        if bytes > self.limits().bytes {
            let largest = (0..filling.len()).max_by_key(|&at| filling[at].body.bytes());
            if let Some(at) = largest {
                let largest = filling.swap_remove(at);
                self.submit(largest).await?;
            }
        }
        Ok(())
    }

    fn limits(&self) -> BatchLimits {
        let limits = self.batches.limits();
        BatchLimits::new(self.max_requests.min(limits.requests), limits.bytes)
    }

    /// Encodes a request, and estimates the tokens of its prompt and of its answer.
    #[expect(clippy::type_complexity, reason = "taken apart by its only caller")]
    fn encode(
        &self,
        request: ChatRequest,
    ) -> Result<((String, String), (u64, u64), BatchItem), Error> {
        let answer = request.max_tokens.map_or(ANSWER, u64::from);
        let input = estimate_tokens(&request).saturating_sub(answer);
        let model = request.model.clone().unwrap_or_default();
        let encoded = self.batches.encode(request)?;
        let group = (encoded.path.clone(), model);
        Ok((group, (input, answer), encoded))
    }

    fn new_filling(&mut self, group: (String, String), body: BatchBody) -> Filling {
        let name = format!("{}-{}", self.records.run, self.records.next);
        self.records.next += 1;
        Filling {
            name,
            group,
            body,
            items: Vec::new(),
            input_tokens: 0,
            output_tokens: 0,
        }
    }

    /// Whether the run could cost more than the cap with another item of this many tokens.
    fn is_over_cap(&self, filling: &[Filling], (input, output): (u64, u64)) -> bool {
        let Some(is_over) = &self.settings.is_over else {
            return false;
        };
        let of_records = self.records.batches.iter();
        let of_records = of_records.map(|record| (record.input_tokens, record.output_tokens));
        let of_filling = filling.iter();
        let of_filling = of_filling.map(|filling| (filling.input_tokens, filling.output_tokens));
        let done = (self.counts.input_tokens, self.counts.output_tokens);
        let (input, output) = of_records
            .chain(of_filling)
            .chain([done])
            .fold((input, output), |sum, one| {
                (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1))
            });
        is_over(input, output)
    }

    /// Records the error of an item that cannot be sent.
    async fn record_one(&mut self, place: u64, held: Held, error: Error) -> Result<(), Error> {
        if matches!(error.kind(), ErrorKind::Config | ErrorKind::Closed) {
            return Err(error);
        }
        let outcome = Outcome {
            place,
            id: held.id,
            tag: held.tag,
            result: Err(error),
            took: Duration::ZERO,
        };
        self.record_all(vec![(held.lease, outcome)]).await
    }

    /// Marks the items of a batch as sent.
    pub(super) fn mark_sent(&mut self, filling: &mut Filling) {
        let name: Arc<str> = filling.name.as_str().into();
        for (place, held) in filling.items.drain(..) {
            let batch = Arc::clone(&name);
            let item = Some(held);
            self.sent.insert(place, Sent { batch, item });
        }
    }
}

/// The journal has not handed out all items of the batches at the provider.
fn kept_back() -> Error {
    let why = "the journal has not handed out all items without a result, so the results of the \
               batches at the provider cannot be recorded; the batches are kept: resume the run \
               when the journal hands out items again";
    Error::new(ErrorKind::Journal, why)
}

/// The id of an item in its batch: the batch's name, and the item's place and tag.
fn item_id(batch: &str, place: u64, tag: u64) -> String {
    format!("{batch}-{place}-{tag:016x}")
}

/// Reads an [`item_id`].
pub(super) fn read_item_id(id: &str) -> Option<(&str, u64, u64)> {
    let (rest, tag) = id.rsplit_once('-')?;
    let (batch, place) = rest.rsplit_once('-')?;
    let tag = u64::from_str_radix(tag, 16).ok()?;
    Some((batch, place.parse().ok()?, tag))
}
