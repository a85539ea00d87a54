//! The chains that scenarios run, and stores at their first versions.

use std::collections::BTreeMap;

use exuvia_core::chain::{Chain, Lock, Migration};
use fastrand::Rng;

/// A chain at each of its lengths, as builds of one extension carry it, and how its first stores look.
pub struct World {
    pub name: &'static str,
    /// The `n`th is `n + 1` migrations long.
    pub builds: Vec<Chain>,
    fill: fn(&mut Rng) -> Vec<(String, String)>,
}

impl World {
    fn new(name: &'static str, texts: &[&str], fill: fn(&mut Rng) -> Vec<(String, String)>) -> Self {
        let build = |length| {
            let migrations = texts[..length].iter().map(|text| Migration::parse(text).unwrap()).collect();
            Chain::arrange(migrations, &Lock::default()).unwrap()
        };
        Self { name, builds: (1..=texts.len()).map(build).collect(), fill }
    }

    pub fn tip(&self) -> usize {
        self.builds.len() - 1
    }

    /// A store that no Exuvia has seen.
    pub fn store(&self, rng: &mut Rng) -> BTreeMap<String, String> {
        (self.fill)(rng).into_iter().collect()
    }
}

/// All worlds. New ones go to the end, so that seeds keep their meaning.
pub fn worlds() -> Vec<World> {
    vec![
        World::new("companion", &COMPANION, companion),
        World::new("cards", &CARDS, cards),
        World::new("talks", &TALKS, talks),
    ]
}

/// The reference extension's: an array and a map become a key each, the preferences change in place.
const COMPANION: [&str; 5] = [
    include_str!("../../../../extension/chain/0001-baseline.json"),
    include_str!("../../../../extension/chain/0002-ai-settings.json"),
    include_str!("../../../../extension/chain/0003-conversation-keys.json"),
    include_str!("../../../../extension/chain/0004-distillation-notes.json"),
    include_str!("../../../../extension/chain/0005-privacy.json"),
];

fn companion(rng: &mut Rng) -> Vec<(String, String)> {
    let mut store = vec![("somebody_elses".to_owned(), "[1,2]".to_owned())];
    if rng.u8(..8) > 0 {
        let mode = ["strict", "balanced", "open"][rng.usize(..3)];
        let stranger = ["", r#","x":{"__proto__":1}"#, r#","auto_distill":true"#][rng.usize(..3)];
        let text = format!(
            r#"{{"model_preference":"m","privacy_mode":"{mode}","theme":"dark","shortcuts":{{}},"api_keys":{{}}{stranger}}}"#
        );
        store.push(("user_preferences".into(), text));
    }
    let mut conversations = Vec::new();
    for index in 0..rng.usize(..5) {
        let kinds = ["", r#"{"sender":"human","text":"hi","time":null}"#, r#"{"sender":"tool","text":"","time":7.25}"#];
        let (id, messages) = (["b", "a", "d", "c"][index], kinds[rng.usize(..3)]);
        conversations.push(format!(
            r#"{{"id":"{id}","title":"{index}","create_time":{index}.5,"update_time":2,"messages":[{messages}]}}"#
        ));
    }
    if rng.u8(..8) > 0 {
        store.push(("conversations".into(), format!("[{}]", conversations.join(","))));
    }
    let notes = (0..rng.usize(..4))
        .map(|index| format!(r#""n{index}":{{"conversation":"a","text":"T","tags":"x,y, z","created":{index}}}"#));
    if rng.u8(..8) > 0 {
        store.push(("distillations".into(), format!("{{{}}}", notes.collect::<Vec<_>>().join(","))));
    }
    store
}

/// Everything in place first, with residues; then every layout becomes another.
const CARDS: [&str; 3] = [
    r#"{"exuvia":1,"id":"one","collections":{
      "notes":{"layout":{"key":"notes","as":"array","id":"/id"},
        "schema":{"type":"object","required":["id","at"],"properties":{"id":{"type":"string"},"at":{"type":"number"}}}},
      "prefs":{"layout":{"key":"settings","as":"record"},
        "schema":{"type":"object","required":["mode"],"properties":{"mode":{"enum":["a","b","c"]}}}},
      "cards":{"layout":{"prefix":"card:"},
        "schema":{"type":"object","required":["side"],"properties":{"side":{"type":"string"},"rank":{"type":"integer"}}}}}}"#,
    r#"{"exuvia":1,"id":"two","parents":["one"],"change":{
      "notes":[{"convert":"/at","from":"epoch-s","to":"epoch-ms"}],
      "prefs":[{"map":"/mode","table":{"a":"x","b":"x","c":"y"},"back":{"x":"a"}}],
      "cards":[{"rename":"/side","to":"/face"},{"remove":"/rank"}]}}"#,
    r#"{"exuvia":1,"id":"three","parents":["two"],
      "layout":{
        "notes":{"from":{"key":"notes","as":"array","id":"/id"},"to":{"prefix":"note:"}},
        "cards":{"from":{"prefix":"card:"},"to":{"key":"deck","as":"map"}}},
      "change":{"prefs":[{"add":"/loud","value":false}]}}"#,
];

fn cards(rng: &mut Rng) -> Vec<(String, String)> {
    let mut store = Vec::new();
    let notes = (0..rng.usize(..5)).map(|index| format!(r#"{{"id":"n{}","at":{index},"u":"{index}"}}"#, 9 - index));
    if rng.u8(..8) > 0 {
        store.push(("notes".to_owned(), format!("[{}]", notes.collect::<Vec<_>>().join(","))));
    }
    if rng.u8(..8) > 0 {
        store.push(("settings".into(), format!(r#"{{"mode":"{}"}}"#, ["a", "b", "c"][rng.usize(..3)])));
    }
    for index in 0..rng.usize(..4) {
        let rank = ["", r#","rank":3"#, r#","rank":-1,"more":[null]"#][rng.usize(..3)];
        store.push((format!("card:{index}"), format!(r#"{{"side":"s{index}"{rank}}}"#)));
    }
    store.push(("apart".into(), r#""left alone""#.into()));
    store
}

/// Children leave their parents; then a collection has another name, and one is dropped.
const TALKS: [&str; 3] = [
    r#"{"exuvia":1,"id":"one","collections":{
      "talks":{"layout":{"prefix":"talk:"},
        "schema":{"type":"object","required":["title","messages"],"properties":{"title":{"type":"string"},
          "messages":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"text":{"type":"string"}}}}}}},
      "prefs":{"layout":{"key":"prefs","as":"record"},"schema":{"type":"object","properties":{"theme":{"type":"string"}}}},
      "drafts":{"layout":{"prefix":"draft:"},"schema":{"type":"object"}}}}"#,
    r#"{"exuvia":1,"id":"two","parents":["one"],"change":{"prefs":[{"remove":"/theme"}]},
      "rehome":[{"extract":"/messages","of":"talks","to":"messages","by":"/id","parent":"/talk","layout":{"prefix":"message:"}}]}"#,
    r#"{"exuvia":1,"id":"three","parents":["two"],"change":{"messages":[{"rename":"/text","to":"/body"}]},
      "rehome":[{"rename":"talks","to":"chats"},{"drop":"drafts"}]}"#,
];

fn talks(rng: &mut Rng) -> Vec<(String, String)> {
    let mut store = vec![("apart".to_owned(), "[null]".to_owned())];
    if rng.u8(..8) > 0 {
        store.push(("prefs".into(), r#"{"theme":"dark","x":1}"#.into()));
    }
    let mut number = 0;
    for talk in 0..rng.usize(..4) {
        let messages = (0..rng.usize(..3)).map(|_| {
            number += 1;
            format!(r#"{{"id":"m{number}","text":"hi","talk":"unknown"}}"#)
        });
        let messages = messages.collect::<Vec<_>>().join(",");
        store.push((format!("talk:t{talk}"), format!(r#"{{"title":"{talk}","messages":[{messages}]}}"#)));
    }
    for draft in 0..rng.usize(..3) {
        store.push((format!("draft:{draft}"), r#"{"text":"unfinished"}"#.into()));
    }
    store
}
