//! The table of model rules. If a model has changed, change its row, with the source and the date.

use std::borrow::Cow::Borrowed;

use super::Reasons::{
    Always as AlwaysReasons, ByDefault, Never as NeverReasons, OnRequest, Unknown,
};
use super::Takes::{Always, Never, UnlessReasoning};
use super::{ModelRule, Reasons, Takes};

const OPENAI: &str = "https://developers.openai.com/api/docs/guides/reasoning";
const OPENAI_6: &str = "https://developers.openai.com/api/docs/guides/deployment-checklist";
const OPENAI_4: &str = "https://developers.openai.com/api/docs/deprecations";
const GPT_OSS: &str = "https://developers.openai.com/cookbook/articles/gpt-oss/run-vllm";
const DEEPSEEK: &str = "https://api-docs.deepseek.com/guides/thinking_mode";
const CLAUDE: &str =
    "https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting";
const CLAUDE_4: &str = "https://platform.claude.com/docs/en/about-claude/models/migration-guide";
const GEMINI: &str = "https://ai.google.dev/gemini-api/docs/openai";
const GEMINI_LEVELS: &str = "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking";
const GEMINI_MODELS: &str = "https://ai.google.dev/gemini-api/docs/models";
const GLM: &str = "https://docs.z.ai/guides/capabilities/thinking-mode";
const GROK: &str = "https://docs.x.ai/developers/model-capabilities/text/reasoning";
const OLLAMA: &str = "https://docs.ollama.com/capabilities/thinking";
const KIMI: &str = "https://platform.kimi.com/docs/api/models-overview";
const QWEN: &str = "https://www.alibabacloud.com/help/en/model-studio/deep-thinking";
const MINIMAX: &str = "https://platform.minimax.io/docs/api-reference/text-openai-api";
const COHERE: &str = "https://docs.cohere.com/docs/compatibility-api";
const STEPFUN: &str =
    "https://platform.stepfun.com/docs/zh/api-reference/chat/chat-completion-create";
const MISTRAL: &str = "https://docs.mistral.ai/capabilities/reasoning/adjustable";
const ERNIE: &str = "https://cloud.baidu.com/doc/qianfan-api/s/5mwsodmx3";
const TENCENT: &str = "https://cloud.tencent.com/document/product/1823/131208";
const PERPLEXITY: &str = "https://docs.perplexity.ai/api-reference/sonar-post";

/// No members: the dialect writes the effort `none`.
const EFFORT_NONE: &str = "";
const THINKING_DISABLED: &str = r#""thinking":{"type":"disabled"}"#;
const NO_THINKING: &str = r#""enable_thinking":false"#;
const BETWEEN_TOOLS: &str = r#""thinking":{"type":"between_tools"}"#;

const DEEPSEEK_EFFORTS: &str = "minimal=low medium=high xhigh=high ultra=max";
const CLAUDE_EFFORTS: &str = "minimal=low";

/// Further facts of a row.
mod flag {
    /// The model refuses `temperature` and `top_p` together in one request.
    pub(super) const ONE_OF_SAMPLING: u8 = 1;
    /// Reasoning is requested by a budget of tokens.
    pub(super) const BUDGET: u8 = 2;
    /// The token limit is called `max_completion_tokens`.
    pub(super) const COMPLETION_TOKENS: u8 = 4;
}
use flag::{BUDGET, COMPLETION_TOKENS, ONE_OF_SAMPLING};

/// What is known about a model's reasoning: when it reasons, which members turn that off, and its
/// words for efforts.
type Thinks = (Reasons, &'static str, &'static str);

const fn row(
    models: &'static str,
    (reasoning, off, efforts): Thinks,
    sampling: Takes,
    tools: Takes,
    flags: u8,
    (source, date): (&'static str, &'static str),
) -> ModelRule {
    ModelRule {
        models: Borrowed(models),
        sampling,
        both_sampling: flags & ONE_OF_SAMPLING == 0,
        tools,
        reasoning,
        reasoning_off: Borrowed(off),
        efforts: Borrowed(efforts),
        thinking_budget: flags & BUDGET != 0,
        max_completion_tokens: flags & COMPLETION_TOKENS != 0,
        source: Borrowed(if cfg!(feature = "sources") {
            source
        } else {
            ""
        }),
        date: Borrowed(if cfg!(feature = "sources") { date } else { "" }),
    }
}

/// What is known about models. The first row that matches a model applies. A provider's last row
/// has its newest rules, for models that no other row knows. Rules of your own come first:
/// [`Provider::with_model_rules`](crate::Provider::with_model_rules).
///
/// What a row does not know, the client learns from the first refusal that names a parameter.
///
/// ```
/// let row = chatcore::MODEL_RULES.iter().find(|row| row.models.contains("gpt-oss"));
/// println!("{:?}", row.map(|row| (row.reasoning, &row.source)));
/// ```
#[rustfmt::skip]
pub const MODEL_RULES: &[ModelRule] = &[
    // OpenAI. Tools: on chat completions; its Responses API always takes them.
    row("gpt-oss*", (AlwaysReasons, EFFORT_NONE, "minimal=low xhigh=high max=high"), Always, Always, 0, (GPT_OSS, "2026-11-28")),
    row("gpt-6-astra* gpt-6.1-sol*", (AlwaysReasons, EFFORT_NONE, ""), Never, Never, COMPLETION_TOKENS, (OPENAI_6, "2026-11-28")),
    row("gpt-6* gpt-5.*", (ByDefault, EFFORT_NONE, ""), UnlessReasoning, UnlessReasoning, COMPLETION_TOKENS, (OPENAI_6, "2026-11-28")),
    row("gpt-5-chat*", (NeverReasons, EFFORT_NONE, ""), Always, Always, COMPLETION_TOKENS, (OPENAI, "2026-11-28")),
    row("gpt-5 gpt-5-* o1* o3* o4*", (AlwaysReasons, EFFORT_NONE, ""), Never, Always, COMPLETION_TOKENS, (OPENAI, "2026-11-28")),
    row("gpt-4* gpt-3.5* chatgpt-4o* ft:gpt-4* ft:gpt-3.5*", (NeverReasons, EFFORT_NONE, ""), Always, Always, 0, (OPENAI_4, "2026-11-28")),
    row("@openai", (ByDefault, EFFORT_NONE, ""), UnlessReasoning, UnlessReasoning, COMPLETION_TOKENS, (OPENAI_6, "2026-11-28")),

    // DeepSeek, in both of its dialects. While it reasons, it accepts a temperature and ignores it.
    row("deepseek-flash* deepseek-pro* deepseek-v4* @deepseek", (ByDefault, THINKING_DISABLED, DEEPSEEK_EFFORTS), Always, Always, 0, (DEEPSEEK, "2026-11-28")),

    // Claude, wherever it runs.
    row("*claude-opus-5?5* *claude-fable* *claude-mythos*", (AlwaysReasons, THINKING_DISABLED, CLAUDE_EFFORTS), Never, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    row("*claude-sonnet-5?5*", (ByDefault, BETWEEN_TOOLS, CLAUDE_EFFORTS), Never, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    row("*claude-haiku-5* *claude-sonnet-5* *claude-opus-5*", (ByDefault, THINKING_DISABLED, CLAUDE_EFFORTS), Never, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    row("*claude-opus-4?7* *claude-opus-4?8*", (OnRequest, THINKING_DISABLED, CLAUDE_EFFORTS), Never, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    row("*claude-opus-4?6* *claude-sonnet-4?6*", (OnRequest, THINKING_DISABLED, CLAUDE_EFFORTS), UnlessReasoning, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    row("*claude-*-4?5* *claude-*-4?1*", (OnRequest, THINKING_DISABLED, ""), UnlessReasoning, Always, ONE_OF_SAMPLING | BUDGET, (CLAUDE_4, "2026-11-28")),
    row("*claude-2* *claude-3* *claude-instant* *claude-*-4?0* *claude-*-4-20*", (OnRequest, THINKING_DISABLED, ""), UnlessReasoning, Always, BUDGET, (CLAUDE_4, "2026-11-28")),
    row("*claude*", (ByDefault, THINKING_DISABLED, CLAUDE_EFFORTS), Never, Always, ONE_OF_SAMPLING, (CLAUDE, "2026-11-28")),
    // Other makers' models on servers that speak Anthropic's protocol.
    row("@anthropic", (Unknown, THINKING_DISABLED, ""), Always, Always, BUDGET, (CLAUDE_4, "2026-11-28")),

    // Ollama's own protocol: models that can reason do so unless told otherwise.
    row("@ollama_chat", (ByDefault, EFFORT_NONE, ""), Always, Always, 0, (OLLAMA, "2026-11-28")),

    // Gemini, on Google's own protocol and on the compatible one. Up to 2.5 it takes a budget. From
    // 3 on it takes levels, and the lowest one replaces `none`.
    row("gemini-2.5-*image* gemini-2.5-*tts* gemini-2.0* gemini-1* gemma-3*", (NeverReasons, EFFORT_NONE, ""), Always, Always, BUDGET, (GEMINI_MODELS, "2026-11-29")),
    row("gemini-2.5-flash*", (ByDefault, EFFORT_NONE, ""), Always, Always, BUDGET, (GEMINI, "2026-11-29")),
    row("gemini-2.5*", (AlwaysReasons, EFFORT_NONE, "none=minimal"), Always, Always, BUDGET, (GEMINI, "2026-11-29")),
    row("gemini-3*-flash-lite* gemini-3-flash* gemini-3.5-flash* gemini-3.6-flash*", (AlwaysReasons, EFFORT_NONE, "none=minimal xhigh=high max=high"), Always, Always, 0, (GEMINI_LEVELS, "2026-11-29")),
    row("gemini-* @gemini @vertex", (AlwaysReasons, EFFORT_NONE, "none=low minimal=low xhigh=high max=high"), Always, Always, 0, (GEMINI_LEVELS, "2026-11-29")),

    // Others that speak OpenAI's chat completions.
    row("glm-5.3*", (AlwaysReasons, THINKING_DISABLED, "minimal=low medium=high xhigh=max"), Always, Always, 0, (GLM, "2026-11-28")),
    row("glm-4.5* glm-4.6* glm-4.7* glm-5*", (ByDefault, THINKING_DISABLED, ""), Always, Always, 0, (GLM, "2026-11-28")),
    row("grok-4.3*", (ByDefault, EFFORT_NONE, ""), Always, Always, 0, (GROK, "2026-11-28")),
    row("grok-*non-reasoning*", (NeverReasons, EFFORT_NONE, ""), Always, Always, 0, (GROK, "2026-11-28")),
    row("grok-4.5* grok-4.7*", (AlwaysReasons, EFFORT_NONE, "minimal=low"), Always, Always, 0, (GROK, "2026-11-28")),
    row("kimi-k3* kimi-k2.7*", (AlwaysReasons, EFFORT_NONE, "none=low minimal=low medium=high xhigh=high"), Never, Always, COMPLETION_TOKENS, (KIMI, "2026-11-29")),
    row("kimi-k2.5* kimi-k2.6*", (ByDefault, THINKING_DISABLED, ""), Never, Always, 0, (KIMI, "2026-11-28")),
    row("minimax-m2*", (AlwaysReasons, EFFORT_NONE, ""), Always, Always, 0, (MINIMAX, "2026-11-29")),
    row("minimax-m*", (ByDefault, THINKING_DISABLED, ""), Always, Always, 0, (MINIMAX, "2026-11-29")),
    row("command-a-plus* command-a-reasoning*", (ByDefault, EFFORT_NONE, "minimal=high low=high medium=high xhigh=high max=high"), Always, Always, 0, (COHERE, "2026-11-29")),
    row("step-3*", (AlwaysReasons, EFFORT_NONE, "none=low minimal=low xhigh=high max=high"), Always, Always, 0, (STEPFUN, "2026-11-29")),
    row("sonar-reasoning* sonar-deep-research*", (AlwaysReasons, EFFORT_NONE, "none=minimal xhigh=high max=high"), Always, Always, 0, (PERPLEXITY, "2026-11-29")),
    row("sonar*", (NeverReasons, EFFORT_NONE, ""), Always, Always, 0, (PERPLEXITY, "2026-11-29")),

    row("mistral-small-latest mistral-small-26* mistral-medium-latest mistral-medium-26* mistral-medium-3*", (OnRequest, EFFORT_NONE, "minimal=high low=high medium=high xhigh=high max=high"), Always, Always, 0, (MISTRAL, "2026-11-29")),
    row("magistral*", (AlwaysReasons, EFFORT_NONE, ""), Always, Always, 0, (MISTRAL, "2026-11-29")),
    row("ernie-5.0*", (ByDefault, NO_THINKING, ""), Always, Always, 0, (ERNIE, "2026-11-29")),
    row("ernie-5.5*", (AlwaysReasons, EFFORT_NONE, ""), Always, Always, 0, (ERNIE, "2026-11-29")),
    row("hunyuan-2.0-thinking*", (AlwaysReasons, EFFORT_NONE, ""), Always, Always, 0, (TENCENT, "2026-11-29")),
    row("hy3*", (OnRequest, THINKING_DISABLED, ""), Always, Always, 0, (TENCENT, "2026-11-29")),

    // Alibaba's own service, for every model that it serves; elsewhere a Qwen model takes another
    // field.
    row("@qwen @qwen_cn", (ByDefault, NO_THINKING, ""), Always, Always, 0, (QWEN, "2026-11-29")),
];
