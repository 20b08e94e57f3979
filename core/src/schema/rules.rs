//! The schema keywords that each kind of provider accepts.

use serde_json::Value;

/// The schema keywords that a provider accepts.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Refused keywords, besides those that the fields below describe.
    pub(super) refused: &'static [&'static str],
    /// Whether the keywords in [`RARE`] are refused too.
    pub(super) refuses_rare: bool,
    /// The values of `format` that are accepted. `None` accepts all.
    pub(super) formats: Option<&'static [&'static str]>,
    /// Whether a `pattern` must begin with `^` and end with `$`.
    pub(super) anchored_patterns: bool,
    /// The greatest `minItems` that is accepted.
    pub(super) max_min_items: u64,
    /// Whether `additionalProperties: false` is added to objects without `additionalProperties`.
    pub(super) closes_objects: bool,
    /// Whether objects may have properties that the schema does not name.
    pub(super) maps: bool,
    /// What the form of a schema may be.
    #[cfg(feature = "typed")]
    pub(super) form: Form,
}

/// What the form of a schema may be.
#[cfg(feature = "typed")]
#[derive(Debug)]
pub(super) struct Form {
    /// The name of the provider, for error messages.
    pub(super) of: &'static str,
    /// Whether `allOf` is accepted.
    pub(super) all_of: bool,
    /// Whether `const` is accepted.
    pub(super) constant: bool,
    /// Whether `prefixItems` is accepted.
    pub(super) prefix_items: bool,
    /// Whether a property may be missing from `required`.
    pub(super) optional: bool,
    /// Whether a schema may contain itself.
    pub(super) recursion: bool,
    /// Whether a schema that contains itself may refer to its root.
    pub(super) root_references: bool,
    /// Whether `$ref` may have other keywords beside it.
    pub(super) ref_siblings: bool,
    /// Whether a schema may accept any value.
    pub(super) anything: bool,
}

impl Rules {
    pub(super) fn refuses(&self, keyword: &str) -> bool {
        self.refused.contains(&keyword) || self.refuses_rare && RARE.contains(&keyword)
    }

    pub(super) fn knows_format(&self, format: &Value) -> bool {
        match self.formats {
            None => true,
            Some(known) => format.as_str().is_some_and(|word| known.contains(&word)),
        }
    }

    pub(super) fn accepts_pattern(&self, pattern: &Value) -> bool {
        let is_anchored = |text: &str| text.starts_with('^') && text.ends_with('$');
        !self.anchored_patterns || pattern.as_str().is_some_and(is_anchored)
    }
}

/// Keywords that no provider accepts in the schema of a typed answer.
const RARE: &[&str] = &[
    "default",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "dependentRequired",
    "dependentSchemas",
    "not",
    "if",
    "then",
    "else",
];

/// String formats that OpenAI's strict mode and Anthropic accept.
const FORMATS: &[&str] = &[
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Anthropic refuses bounds of numbers, strings and arrays, unknown formats, `oneOf`, and objects
/// that may have more properties than they name. Anthropic's own SDK moves these keywords to the
/// description too (`lib/_parse/_transform.py`, November 2026).
#[cfg(feature = "anthropic")]
pub(crate) static ANTHROPIC: Rules = anthropic(
    &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "patternProperties",
    ],
    false,
);

const fn anthropic(refused: &'static [&'static str], refuses_rare: bool) -> Rules {
    Rules {
        refused,
        refuses_rare,
        formats: Some(FORMATS),
        anchored_patterns: false,
        max_min_items: 1,
        closes_objects: true,
        maps: false,
        #[cfg(feature = "typed")]
        form: Form {
            of: "Anthropic",
            all_of: false,
            constant: true,
            prefix_items: false,
            optional: true,
            recursion: false,
            root_references: true,
            ref_siblings: false,
            anything: false,
        },
    }
}

/// Anthropic's rules for a typed answer. Keywords that its documentation does not list are moved to
/// the description too, as are `default` and `pattern`, because its SDK moves them.
/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>, 2026-11-29.
#[cfg(feature = "typed")]
pub(crate) static ANTHROPIC_FIT: Rules = anthropic(
    &[
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "prefixItems",
    ],
    true,
);

/// OpenAI's strict mode. <https://developers.openai.com/api/docs/guides/structured-outputs>,
/// 2026-11-29.
#[cfg(feature = "typed")]
pub(crate) static OPENAI: Rules = Rules {
    refused: &["minLength", "maxLength", "prefixItems"],
    refuses_rare: true,
    formats: Some(FORMATS),
    anchored_patterns: false,
    max_min_items: u64::MAX,
    closes_objects: true,
    maps: false,
    form: Form {
        of: "OpenAI's strict mode",
        all_of: false,
        constant: true,
        prefix_items: false,
        optional: false,
        recursion: true,
        root_references: true,
        ref_siblings: false,
        anything: false,
    },
};

/// Gemini's `responseJsonSchema`. <https://ai.google.dev/gemini-api/docs/structured-output>,
/// 2026-11-29.
#[cfg(feature = "typed")]
pub(crate) static GEMINI: Rules = Rules {
    refused: &[
        "pattern",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
    ],
    refuses_rare: true,
    formats: Some(&["date-time", "date", "time"]),
    anchored_patterns: false,
    max_min_items: u64::MAX,
    closes_objects: false,
    maps: true,
    form: Form {
        of: "Gemini",
        all_of: false,
        constant: false,
        prefix_items: true,
        optional: true,
        recursion: true,
        root_references: true,
        ref_siblings: false,
        anything: true,
    },
};

/// Servers that compile a schema to a grammar: llama.cpp, Ollama (which uses llama.cpp), and the
/// engines of vLLM and SGLang. llama.cpp's `common/json-schema-to-grammar.cpp`, 2026-11-29.
#[cfg(feature = "typed")]
pub(crate) static GRAMMAR: Rules = Rules {
    refused: &["exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    refuses_rare: true,
    formats: Some(&["date-time", "date", "time", "uuid"]),
    anchored_patterns: true,
    max_min_items: u64::MAX,
    closes_objects: false,
    maps: true,
    form: Form {
        of: "a server with grammars",
        all_of: false,
        constant: true,
        prefix_items: true,
        optional: true,
        recursion: true,
        root_references: false,
        ref_siblings: false,
        anything: true,
    },
};
