//! The table of providers. If a provider changes, update its row with the source and the date.

use std::borrow::Cow;
use std::sync::Arc;

use super::KnownProvider;
#[cfg(feature = "anthropic")]
use crate::dialect::Anthropic;
#[cfg(feature = "gemini")]
use crate::dialect::Gemini;
#[cfg(feature = "ollama")]
use crate::dialect::OllamaChat;
use crate::dialect::{Dialect, JsonOutput, MaxTokensField, OpenAiChat, Quirks, ReasoningField};
#[cfg(feature = "openai-responses")]
use crate::dialect::{OpenAi, OpenAiResponses};

/// The part of a row that creates a [`Provider`](super::Provider). The sources are separate, so
/// that they are not linked into programs that do not read them.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) key_vars: &'static [&'static str],
    pub(super) base_url: &'static str,
    pub(super) base_url_form: &'static str,
    pub(super) model: &'static str,
    /// Creates the provider's dialect.
    pub(super) dialect: fn() -> Arc<dyn Dialect>,
}

macro_rules! providers {
    ($($(#[$gate:meta])? $id:ident: $name:literal, [$($var:literal),*], $base:literal $(like $form:literal)?, $model:literal, $dialect:path, $source:literal, $date:literal;)*) => {
        $($(#[$gate])? pub(super) static $id: Row = Row {
            name: $name,
            key_vars: &[$($var),*],
            base_url: $base,
            base_url_form: concat!("" $(, $form)?),
            model: $model,
            dialect: $dialect,
        };)*

        pub(super) static ROWS: &[&Row] = &[$($(#[$gate])? &$id),*];

        /// The providers that `LLM_PROVIDER` can name, in the order of the documentation: those
        /// with a dialect that is compiled in.
        ///
        /// ```
        /// for provider in chatcore::KNOWN_PROVIDERS {
        ///     println!("{}: {} {:?}", provider.name, provider.base_url, provider.key_vars);
        /// }
        /// ```
        pub const KNOWN_PROVIDERS: &[KnownProvider] = &[$($(#[$gate])? KnownProvider {
            name: $name,
            key_vars: &[$($var),*],
            base_url: $base,
            base_url_form: concat!("" $(, $form)?),
            model: $model,
            source: $source,
            date: $date,
        }),*];
    };
}

/// The row with this name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().copied().find(|row| row.name == name)
}

#[rustfmt::skip]
providers! {
    DEEPSEEK: "deepseek", ["DEEPSEEK_API_KEY"], "https://api.deepseek.com", "deepseek-flash", returns_reasoning, "https://api-docs.deepseek.com/guides/thinking_mode", "2026-11-28";
    #[cfg(feature = "openai-responses")]
    OPENAI: "openai", ["OPENAI_API_KEY"], "https://api.openai.com/v1", "gpt-6-luna", openai, "https://developers.openai.com/api/docs/deprecations", "2026-11-28";
    OPENAI_CHAT: "openai_chat", ["OPENAI_API_KEY"], "https://api.openai.com/v1", "gpt-6-luna", completion_tokens, "https://developers.openai.com/api/docs/deprecations", "2026-11-28";
    #[cfg(feature = "openai-responses")]
    OPENAI_RESPONSES: "openai_responses", ["OPENAI_API_KEY"], "https://api.openai.com/v1", "gpt-6-luna", responses, "https://developers.openai.com/api/docs/deprecations", "2026-11-28";
    #[cfg(feature = "anthropic")]
    ANTHROPIC: "anthropic", ["ANTHROPIC_API_KEY"], "https://api.anthropic.com", "claude-haiku-5-5", anthropic, "https://platform.claude.com/docs/en/about-claude/models/overview", "2026-11-28";
    #[cfg(feature = "gemini")]
    GEMINI: "gemini", ["GEMINI_API_KEY", "GOOGLE_API_KEY"], "https://generativelanguage.googleapis.com/v1beta", "gemini-3.8-flash", gemini, "https://ai.google.dev/gemini-api/docs/models", "2026-11-29";
    #[cfg(feature = "gemini")]
    VERTEX: "vertex", ["CLOUDSDK_AUTH_ACCESS_TOKEN"], "" like "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION/publishers/google", "gemini-3.8-flash", vertex, "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/start/get-started-with-gemini-4", "2026-11-29";

    #[cfg(feature = "openai-responses")]
    AZURE: "azure", ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"], "" like "https://RESOURCE.openai.azure.com/openai/v1", "", azure, "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle", "2026-11-29";
    AZURE_CLASSIC: "azure_classic", ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"], "" like "https://RESOURCE.openai.azure.com/openai/deployments/DEPLOYMENT?api-version=2024-10-21", "", azure_classic, "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference", "2026-11-29";
    #[cfg(feature = "openai-responses")]
    BEDROCK: "bedrock", ["AWS_BEARER_TOKEN_BEDROCK"], "" like "https://bedrock-mantle.REGION.api.aws/v1", "", openai, "https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html", "2026-11-29";
    OPENROUTER: "openrouter", ["OPENROUTER_API_KEY"], "https://openrouter.ai/api/v1", "", openrouter, "https://openrouter.ai/docs/guides/best-practices/reasoning-tokens", "2026-11-29";
    MISTRAL: "mistral", ["MISTRAL_API_KEY"], "https://api.mistral.ai/v1", "mistral-medium-latest", mistral, "https://docs.mistral.ai/api", "2026-11-29";
    GROQ: "groq", ["GROQ_API_KEY"], "https://api.groq.com/openai/v1", "openai/gpt-oss-120b", completion_tokens, "https://console.groq.com/docs/deprecations", "2026-11-29";
    XAI: "xai", ["XAI_API_KEY"], "https://api.x.ai/v1", "grok-4.3", completion_tokens, "https://docs.x.ai/docs/migration/may-15-retirement", "2026-11-29";
    COHERE: "cohere", ["COHERE_API_KEY", "CO_API_KEY"], "https://api.cohere.ai/compatibility/v1", "command-a-plus-05-2026", plain, "https://docs.cohere.com/docs/compatibility-api", "2026-11-29";
    TOGETHER: "together", ["TOGETHER_API_KEY"], "https://api.together.ai/v1", "", grammar, "https://docs.together.ai/reference/chat-completions", "2026-11-29";
    FIREWORKS: "fireworks", ["FIREWORKS_API_KEY"], "https://api.fireworks.ai/inference/v1", "", returns_reasoning, "https://docs.fireworks.ai/guides/reasoning", "2026-11-29";
    CEREBRAS: "cerebras", ["CEREBRAS_API_KEY"], "https://api.cerebras.ai/v1", "gpt-oss-120b", completion_tokens, "https://inference-docs.cerebras.ai/api-reference/chat-completions", "2026-11-29";
    PERPLEXITY: "perplexity", ["PERPLEXITY_API_KEY", "PPLX_API_KEY"], "https://api.perplexity.ai", "sonar", perplexity, "https://docs.perplexity.ai/api-reference/sonar-post", "2026-11-29";
    NVIDIA: "nvidia", ["NVIDIA_API_KEY"], "https://integrate.api.nvidia.com/v1", "", plain, "https://docs.api.nvidia.com/nim/reference/llm-apis", "2026-11-29";
    HUGGINGFACE: "huggingface", ["HF_TOKEN"], "https://router.huggingface.co/v1", "", plain, "https://huggingface.co/docs/inference-providers/en/tasks/chat-completion", "2026-11-29";
    GITHUB: "github", ["GITHUB_TOKEN"], "https://models.github.ai/inference", "", plain, "https://docs.github.com/en/rest/models/inference", "2026-11-29";

    MOONSHOT: "moonshot", ["MOONSHOT_API_KEY", "KIMI_API_KEY"], "https://api.moonshot.ai/v1", "kimi-k2.6", moonshot, "https://platform.kimi.ai/docs/api/chat", "2026-11-29";
    MOONSHOT_CN: "moonshot_cn", ["MOONSHOT_API_KEY", "KIMI_API_KEY"], "https://api.moonshot.cn/v1", "kimi-k2.6", moonshot, "https://platform.kimi.com/docs/api/chat", "2026-11-29";
    ZHIPU: "zhipu", ["ZAI_API_KEY", "ZHIPU_API_KEY"], "https://api.z.ai/api/paas/v4", "glm-5.2", returns_reasoning, "https://docs.z.ai/guides/capabilities/thinking-mode", "2026-11-29";
    ZHIPU_CN: "zhipu_cn", ["ZHIPU_API_KEY", "ZAI_API_KEY"], "https://open.bigmodel.cn/api/paas/v4", "glm-5.2", returns_reasoning, "https://docs.bigmodel.cn/cn/guide/capabilities/thinking", "2026-11-29";
    QWEN: "qwen", ["DASHSCOPE_API_KEY"], "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen-plus", json_object, "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope", "2026-11-29";
    QWEN_CN: "qwen_cn", ["DASHSCOPE_API_KEY"], "https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", json_object, "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope", "2026-11-29";
    MINIMAX: "minimax", ["MINIMAX_API_KEY"], "https://api.minimax.io/v1", "MiniMax-M3", minimax, "https://platform.minimax.io/docs/api-reference/text-openai-api", "2026-11-29";
    MINIMAX_CN: "minimax_cn", ["MINIMAX_API_KEY"], "https://api.minimaxi.com/v1", "MiniMax-M3", minimax, "https://platform.minimaxi.com/docs/guides/quickstart", "2026-11-29";
    SILICONFLOW: "siliconflow", ["SILICONFLOW_API_KEY"], "https://api.siliconflow.com/v1", "", json_object, "https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions", "2026-11-29";
    SILICONFLOW_CN: "siliconflow_cn", ["SILICONFLOW_CN_API_KEY", "SILICONFLOW_API_KEY"], "https://api.siliconflow.cn/v1", "", json_object, "https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions", "2026-11-29";
    VOLCENGINE: "volcengine", ["ARK_API_KEY", "VOLCANO_ENGINE_API_KEY"], "https://ark.cn-beijing.volces.com/api/v3", "", returns_reasoning, "https://www.volcengine.com/docs/82379/1330310", "2026-11-29";
    HUNYUAN: "hunyuan", ["HUNYUAN_API_KEY"], "https://api.hunyuan.cloud.tencent.com/v1", "", plain, "https://cloud.tencent.com/document/product/1729/111007", "2026-11-29";
    STEPFUN: "stepfun", ["STEPFUN_API_KEY", "STEP_API_KEY"], "https://api.stepfun.com/v1", "step-3.7-flash", json_object, "https://platform.stepfun.com/docs/zh/api-reference/chat/chat-completion-create", "2026-11-29";
    QIANFAN: "qianfan", ["QIANFAN_API_KEY"], "https://qianfan.baidubce.com/v2", "", plain, "https://cloud.baidu.com/doc/qianfan-api/s/3m9b5lqft", "2026-11-29";

    #[cfg(feature = "ollama")]
    OLLAMA: "ollama", [], "http://127.0.0.1:11434", "", ollama, "https://docs.ollama.com/api", "2026-11-28";
    LMSTUDIO: "lmstudio", ["LMSTUDIO_API_KEY"], "http://127.0.0.1:1234/v1", "", grammar, "https://lmstudio.ai/docs/developer/openai-compat/chat-completions", "2026-11-29";
    VLLM: "vllm", ["VLLM_API_KEY"], "http://127.0.0.1:8000/v1", "", grammar, "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html", "2026-11-29";
    LLAMACPP: "llamacpp", ["LLAMA_API_KEY"], "http://127.0.0.1:8080/v1", "", grammar, "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md", "2026-11-29";
    SGLANG: "sglang", ["SGLANG_API_KEY"], "http://127.0.0.1:30000/v1", "", grammar, "https://docs.sglang.ai/basic_usage/openai_api_completions.html", "2026-11-29";
    LITELLM: "litellm", ["LITELLM_API_KEY"], "http://127.0.0.1:4000/v1", "", plain, "https://docs.litellm.ai/docs/simple_proxy", "2026-11-29";
    OPENAI_COMPATIBLE: "openai_compatible", [], "", "", plain, "https://developers.openai.com/api/reference/resources/chat", "2026-11-28";
}

/// Chat completions with these quirks.
fn chat(quirks: Quirks) -> Arc<dyn Dialect> {
    Arc::new(OpenAiChat::new(quirks))
}

fn plain() -> Arc<dyn Dialect> {
    chat(Quirks::default())
}

/// Answers have JSON mode, without a schema.
fn json_object() -> Arc<dyn Dialect> {
    chat(Quirks {
        json_output: JsonOutput::JsonObject,
        ..Quirks::default()
    })
}

/// The server compiles schemas to grammars.
fn grammar() -> Arc<dyn Dialect> {
    chat(Quirks {
        json_output: JsonOutput::Grammar,
        ..Quirks::default()
    })
}

/// The token limit has OpenAI's newer name, and schemas follow its strict mode.
fn completion_tokens() -> Arc<dyn Dialect> {
    chat(Quirks {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        json_output: JsonOutput::Strict,
        ..Quirks::default()
    })
}

/// Chat completions, or Responses if a call needs them.
#[cfg(feature = "openai-responses")]
fn openai() -> Arc<dyn Dialect> {
    Arc::new(OpenAi::default())
}

#[cfg(feature = "openai-responses")]
fn responses() -> Arc<dyn Dialect> {
    Arc::new(OpenAiResponses::default())
}

/// OpenAI's dialect, with the key in the header `api-key`.
#[cfg(feature = "openai-responses")]
fn azure() -> Arc<dyn Dialect> {
    Arc::new(OpenAi::azure())
}

/// Azure's older API has only chat completions.
fn azure_classic() -> Arc<dyn Dialect> {
    chat(Quirks {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        api_key_header: true,
        json_output: JsonOutput::Strict,
        ..Quirks::default()
    })
}

/// Reasoning is sent back as `reasoning_content`, the field in which it arrived. Answers have JSON
/// mode, without a schema.
fn returns_reasoning() -> Arc<dyn Dialect> {
    chat(Quirks {
        reasoning_field: Some(ReasoningField::ReasoningContent),
        json_output: JsonOutput::JsonObject,
        ..Quirks::default()
    })
}

fn openrouter() -> Arc<dyn Dialect> {
    chat(Quirks {
        reasoning_field: Some(ReasoningField::Reasoning),
        json_output: JsonOutput::Strict,
        ..Quirks::default()
    })
}

/// Mistral refuses unknown fields: `stream_options`, `seed`, and the fields that other servers add
/// to messages.
fn mistral() -> Arc<dyn Dialect> {
    chat(Quirks {
        stream_usage: false,
        stream_usage_unasked: true,
        strict_messages: true,
        seed_field: "random_seed",
        json_output: JsonOutput::Strict,
        ..Quirks::default()
    })
}

/// Perplexity sends usage with each chunk even if the request does not ask for it.
fn perplexity() -> Arc<dyn Dialect> {
    chat(Quirks {
        stream_usage: false,
        stream_usage_unasked: true,
        ..Quirks::default()
    })
}

/// Kimi requires its reasoning back, and has deprecated `max_tokens`.
fn moonshot() -> Arc<dyn Dialect> {
    chat(Quirks {
        json_output: JsonOutput::JsonObject,
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        reasoning_field: Some(ReasoningField::ReasoningContent),
        ..Quirks::default()
    })
}

/// Without `reasoning_split`, reasoning is part of the text, as `<think>…</think>`.
fn minimax() -> Arc<dyn Dialect> {
    chat(Quirks {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        members: Cow::Borrowed(r#""reasoning_split":true"#),
        ..Quirks::default()
    })
}

#[cfg(feature = "anthropic")]
fn anthropic() -> Arc<dyn Dialect> {
    Arc::new(Anthropic::default())
}

#[cfg(feature = "gemini")]
fn gemini() -> Arc<dyn Dialect> {
    Arc::new(Gemini::default())
}

#[cfg(feature = "gemini")]
fn vertex() -> Arc<dyn Dialect> {
    Arc::new(Gemini::vertex())
}

#[cfg(feature = "ollama")]
fn ollama() -> Arc<dyn Dialect> {
    Arc::new(OllamaChat::default())
}
