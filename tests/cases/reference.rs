//! The chain of the reference extension, and data that it moves.

use serde_json::{Map, Value, json};

/// The chain as JavaScript hands it over.
pub const CHAIN: &str = include_str!("../../extension/chain/chain.json");

/// Data of version 1: of each name a conversation, a distillation, and a member where the schema has no say.
pub fn version_1(names: &[&str], text: &str) -> Value {
    let conversation = |name: &&str| {
        json!({
            "id": name, "title": "T", "create_time": 1.5, "update_time": 2, "unknown": by_name(names),
            "messages": [{ "sender": "human", "text": text, "time": null }],
        })
    };
    let distillation = |name: &&str| {
        let value = json!({ "conversation": name, "text": "D", "tags": "x,y, z", "created": 3 });
        ((*name).to_owned(), value)
    };
    json!({
        "user_preferences": {
            "model_preference": "m", "privacy_mode": "balanced", "theme": "dark", "shortcuts": {}, "api_keys": {},
            "unknown": by_name(names),
        },
        "conversations": names.iter().map(conversation).collect::<Vec<_>>(),
        "distillations": names.iter().map(distillation).collect::<Map<_, _>>(),
        "somebody_elses": [1, 2, by_name(names)],
    })
}

/// The same data at version 5.
pub fn version_5(names: &[&str], text: &str) -> Value {
    let preferences = json!({
        "theme": "dark", "shortcuts": {}, "api_keys": {}, "unknown": by_name(names),
        "ai_settings": { "model_preference": "m", "auto_distill": false },
        "privacy": { "store_history": true, "share_usage": false, "retain_days": 90 },
    });
    let conversation = |name: &&str| {
        let value = json!({
            "id": name, "title": "T", "create_time": "1970-01-01T00:00:01.5Z", "update_time": "1970-01-01T00:00:02Z",
            "unknown": by_name(names), "messages": [{ "role": "user", "text": text, "time": null }],
        });
        (format!("conversation:{name}"), value)
    };
    let distillation = |name: &&str| {
        let value = json!({
            "conversation_id": name, "tags": ["x,y", "z"], "created": 3, "body": { "format": "markdown", "text": "D" },
        });
        (format!("distillation:{name}"), value)
    };
    let single =
        [("user_preferences".to_owned(), preferences), ("somebody_elses".to_owned(), json!([1, 2, by_name(names)]))];
    let many = names.iter().map(conversation).chain(names.iter().map(distillation));
    single.into_iter().chain(many).collect::<Map<_, _>>().into()
}

fn by_name(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), json!(name.len()))).collect::<Map<_, _>>().into()
}
