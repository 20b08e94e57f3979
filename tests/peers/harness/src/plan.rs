//! The peers and the work that is measured.

/// The language of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Node,
    Python,
}

/// Which bytes of an answer the driver counts; see the server's `sizes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sees {
    Text,
    Body,
    Wire,
}

impl Sees {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Body => "body",
            Self::Wire => "wire",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) language: Language,
    /// The bare client with the same transport, the baseline for added latency and CPU.
    pub(crate) bare: Option<&'static str>,
    pub(crate) sees: Sees,
    /// The maximum number of calls in flight. Threads are meant for a few hundred; Python's pools
    /// search all their connections at every call.
    pub(crate) most_at_once: usize,
    /// Whether there is a program that chats once, to measure the start-up time and, in Rust, the
    /// size.
    pub(crate) once: bool,
    /// The package whose version is shown.
    pub(crate) package: &'static str,
    /// Set if the row shows a client that is already in the table, run in another way.
    pub(crate) variant: Option<Variant>,
}

/// Another way to run a client. Only chats are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The part of the program name after `peer-`.
    pub(crate) program: &'static str,
    /// The value of `PEERS_SMOL`.
    pub(crate) smol: &'static str,
}

impl Peer {
    /// The part of the program name after `peer-`.
    pub(crate) fn program(&self) -> &'static str {
        self.variant.map_or(self.name, |variant| variant.program)
    }
}

const fn variant(program: &'static str, smol: &'static str) -> Option<Variant> {
    Some(Variant { program, smol })
}

const THREADS: usize = 2_000;
const MANY: usize = 10_000;

#[rustfmt::skip]
pub(crate) const PEERS: &[Peer] = &[
    Peer { name: "chatcore-smol", language: Language::Rust, bare: Some("bare-http1"), sees: Sees::Text, most_at_once: MANY, once: true, package: "chatcore", variant: None },
    Peer { name: "chatcore-smol-block-on", language: Language::Rust, bare: Some("bare-http1"), sees: Sees::Text, most_at_once: MANY, once: false, package: "chatcore", variant: variant("chatcore-smol", "block_on") },
    Peer { name: "chatcore-smol-2-threads", language: Language::Rust, bare: Some("bare-http1"), sees: Sees::Text, most_at_once: MANY, once: false, package: "chatcore", variant: variant("chatcore-smol", "threads") },
    Peer { name: "chatcore-tokio", language: Language::Rust, bare: Some("bare-http1"), sees: Sees::Text, most_at_once: MANY, once: false, package: "chatcore", variant: variant("chatcore-tokio", "") },
    Peer { name: "chatcore-threads", language: Language::Rust, bare: Some("bare-ureq"), sees: Sees::Text, most_at_once: THREADS, once: true, package: "chatcore", variant: None },
    Peer { name: "async-openai", language: Language::Rust, bare: Some("bare-reqwest"), sees: Sees::Text, most_at_once: MANY, once: true, package: "async-openai", variant: None },
    Peer { name: "genai", language: Language::Rust, bare: Some("bare-reqwest"), sees: Sees::Text, most_at_once: MANY, once: true, package: "genai", variant: None },
    Peer { name: "rig", language: Language::Rust, bare: Some("bare-reqwest"), sees: Sees::Text, most_at_once: MANY, once: true, package: "rig-core", variant: None },
    Peer { name: "bare-http1", language: Language::Rust, bare: None, sees: Sees::Body, most_at_once: MANY, once: false, package: "chatcore-adapters", variant: None },
    Peer { name: "bare-ureq", language: Language::Rust, bare: None, sees: Sees::Body, most_at_once: THREADS, once: true, package: "ureq", variant: None },
    Peer { name: "bare-reqwest", language: Language::Rust, bare: None, sees: Sees::Body, most_at_once: MANY, once: true, package: "reqwest", variant: None },
    Peer { name: "raw-socket", language: Language::Rust, bare: None, sees: Sees::Wire, most_at_once: MANY, once: false, package: "", variant: None },
    Peer { name: "chatcore-npm", language: Language::Node, bare: Some("bare-fetch"), sees: Sees::Text, most_at_once: MANY, once: true, package: "chatcore", variant: None },
    Peer { name: "openai-node", language: Language::Node, bare: Some("bare-fetch"), sees: Sees::Text, most_at_once: MANY, once: true, package: "openai", variant: None },
    Peer { name: "bare-fetch", language: Language::Node, bare: None, sees: Sees::Body, most_at_once: MANY, once: true, package: "node", variant: None },
    Peer { name: "openai-python", language: Language::Python, bare: Some("bare-httpx"), sees: Sees::Text, most_at_once: THREADS, once: true, package: "openai", variant: None },
    Peer { name: "litellm", language: Language::Python, bare: Some("bare-httpx"), sees: Sees::Text, most_at_once: THREADS, once: true, package: "litellm", variant: None },
    Peer { name: "bare-httpx", language: Language::Python, bare: None, sees: Sees::Body, most_at_once: THREADS, once: true, package: "httpx", variant: None },
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// The letter in the table.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// `chats`, `streams` or `batch`.
    pub(crate) kind: &'static str,
    /// The path before `/v1` in the URL; see the server.
    pub(crate) pace: &'static str,
    pub(crate) count: usize,
    pub(crate) at_once: usize,
    pub(crate) warm_up: usize,
}

impl Work {
    pub(crate) fn is_stream(&self) -> bool {
        self.kind == "streams"
    }
}

#[rustfmt::skip]
pub(crate) const WORKS: &[Work] = &[
    Work { name: "a", title: "chats one after another", kind: "chats", pace: "", count: 4_000, at_once: 1, warm_up: 200 },
    Work { name: "b", title: "chats, 64 at once", kind: "chats", pace: "", count: 20_000, at_once: 64, warm_up: 640 },
    Work { name: "c2k", title: "chats of 50 ms, 2,000 at once", kind: "chats", pace: "/d50", count: 4_000, at_once: 2_000, warm_up: 1 },
    Work { name: "c10k", title: "chats of 50 ms, 10,000 at once", kind: "chats", pace: "/d50", count: 20_000, at_once: 10_000, warm_up: 1 },
    Work { name: "d", title: "streams as fast as they come, 32 at once", kind: "streams", pace: "", count: 640, at_once: 32, warm_up: 32 },
    Work { name: "d-paced", title: "streams of an event each ms, 32 at once", kind: "streams", pace: "/paced", count: 64, at_once: 32, warm_up: 1 },
    Work { name: "e", title: "a batch of 20,000 prompts, 64 at once", kind: "batch", pace: "", count: 20_000, at_once: 64, warm_up: 640 },
];

/// How much work a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Only checks that everything works.
    Short,
    /// Fewer requests for the slow languages, because their figures per request do not depend on
    /// the number.
    Full,
    /// The full number of requests for all languages.
    Long,
}

/// The work adapted to `peer`, or `None` if the peer cannot do it.
pub(crate) fn sized(work: Work, peer: &Peer, form: Form) -> Option<Work> {
    if peer.variant.is_some() && (work.is_stream() || work.at_once > 64) {
        return None;
    }
    if form == Form::Short {
        let at_once = work.at_once.min(50);
        return Some(Work {
            count: 2 * at_once,
            at_once,
            warm_up: 1,
            ..work
        });
    }
    let most = match form {
        Form::Long if peer.language == Language::Python => MANY,
        _ => peer.most_at_once,
    };
    if work.at_once > most {
        return None;
    }
    let share = match (form, peer.language) {
        (Form::Full, Language::Node) => 4,
        (Form::Full, Language::Python) => 20,
        _ => 1,
    };
    let count = (work.count / share).max(2 * work.at_once);
    Some(Work {
        count: count.min(work.count),
        warm_up: (work.warm_up / share).max(1),
        ..work
    })
}
