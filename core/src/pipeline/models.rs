//! The list of models as jobs, one for each page.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::begin::{begin, refuse};
use super::job::{Ask, Job, Reader};
use super::whole::WholeReader;
use super::{JobCall, Shared, open};
use crate::admission::queue::WhenFull;
use crate::catalogue::ModelInfo;
use crate::dialect::{Mode, ModelPage, ModelsDialect};
use crate::error::{Error, ErrorKind};
use crate::observe::{Asked, Operation};
use crate::policy::plan::Plan;
use crate::policy::timeouts::DEFAULT_TOKENS;

/// The maximum number of pages, because a faulty server may always announce another one.
const MAX_PAGES: usize = 1000;

/// Reads all pages of the list of models.
pub(crate) async fn models(
    shared: Arc<Shared>,
    call: JobCall<()>,
) -> Result<Vec<ModelInfo>, Error> {
    let mut rules = call.rules.for_several(shared.executor.now());
    let asked = Asked::job(Operation::Models, "");
    if let Err(why) = dialect(&shared) {
        return Err(refuse(&shared, &asked, &rules, why));
    }
    let mut models = Vec::new();
    let mut next = None;
    for _ in 0..MAX_PAGES {
        let ask = ModelsAsk { next: next.clone() };
        let opened = open(|| begin(Arc::clone(&shared), ask, rules.clone(), Mode::Whole)).await?;
        let (page, ..) = opened.finish(WholeReader::<ModelPage>::take)?;
        models.extend(page.models);
        match page.next {
            None => return Ok(models),
            same if same == next => break,
            other => next = other,
        }
        // A call whose first request was admitted is not turned away at its second one.
        rules.when_full = WhenFull::Wait;
    }
    let why = format!(
        "the list of models does not end: stopped after {} models",
        models.len()
    );
    let error = Error::new(ErrorKind::Protocol, why);
    Err(refuse(&shared, &asked, &rules, error))
}

fn dialect(shared: &Shared) -> Result<&dyn ModelsDialect, Error> {
    shared.dialect.models().ok_or_else(|| {
        Error::invalid(format!(
            "the dialect {} cannot list models",
            shared.dialect.facts().name()
        ))
    })
}

/// One page of the list whose request is not encoded yet.
struct ModelsAsk {
    /// The token that asks for this page; `None` for the first page.
    next: Option<String>,
}

impl Ask for ModelsAsk {
    fn asked<'a>(&'a self, _: &'a Shared) -> Asked<'a> {
        Asked::job(Operation::Models, "")
    }

    /// 0: a page counts towards the limit of requests only.
    fn tokens(&self) -> u64 {
        0
    }

    fn write(self, shared: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error> {
        let encoded = dialect(shared)?.encode(&shared.endpoint, self.next.as_deref())?;
        let job = ModelsJob {
            plan: Plan::expecting(DEFAULT_TOKENS),
        };
        Ok((encoded, Box::new(job)))
    }
}

/// One page of the list whose request is encoded.
#[derive(Debug)]
struct ModelsJob {
    plan: Plan,
}

impl Job for ModelsJob {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader> {
        let dialect = Arc::clone(&shared.dialect);
        let decode = move |body: &str| match dialect.models() {
            Some(models) => models.decode(body),
            None => {
                let why = "the dialect can no longer list models";
                Err(Error::new(ErrorKind::Internal, why))
            }
        };
        Box::new(WholeReader::new(head, shared, decode))
    }
}
