//! A chain of one step, on one collection.

use std::sync::Arc;

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Lock, Migration, Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::{Context, Custom};
use exuvia_core::step::manual::Example;

pub const COLLECTION: &str = "things";

/// The migration of a step.
pub fn change(step: &str) -> String {
    format!(r#"{{"exuvia":1,"id":"step","parents":["start"],"change":{{"{COLLECTION}":[{step}]}}}}"#)
}

/// A chain of one step on records of this schema.
pub fn steps_chain(schema: &str, step: &str) -> Result<Chain> {
    let start = format!(
        r#"{{"exuvia":1,"id":"start","collections":{{"{COLLECTION}":{{"layout":{{"prefix":"thing:"}},"schema":{schema}}}}}}}"#
    );
    Chain::arrange(vec![Migration::parse(&start)?, Migration::parse(&change(step))?], &Lock::default())
}

/// The function of the example of `custom`: `ctrl-shift-k` and `Ctrl+Shift+K`.
#[derive(Debug)]
struct Hotkey;

impl Custom for Hotkey {
    fn name(&self) -> &str {
        "hotkey"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn is_reversible(&self) -> bool {
        true
    }

    fn up<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        let text = value.text()?.unwrap_or_default().into_owned();
        let upper =
            |key: &str| key.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(key.chars().skip(1)).collect();
        Ok(Value::from(text.split('-').map(upper).collect::<Vec<String>>().join("+").as_str()))
    }

    fn down<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        let text = value.text()?.unwrap_or_default().to_lowercase().replace('+', "-");
        Ok(Value::from(text.as_str()))
    }
}

pub struct Sample(Chain);

const CONTEXT: Context<'static> = Context { now: 1_700_000_000_000, key: "thing" };

impl Sample {
    pub fn of(example: &Example) -> Result<Self> {
        let mut chain = steps_chain(example.schema, example.step)?;
        chain.register(Arc::new(Hotkey));
        Ok(Self(chain))
    }

    pub fn up(&self, record: &Value<'_>) -> (Value<'static>, Residues<'static>) {
        self.translate(1, 2, record, Residues::default())
    }

    pub fn down(&self, record: &Value<'_>, residues: &Residues<'static>) -> Value<'static> {
        self.translate(2, 1, record, residues.clone()).0
    }

    fn translate(
        &self,
        from: u32,
        to: u32,
        record: &Value<'_>,
        mut residues: Residues<'static>,
    ) -> (Value<'static>, Residues<'static>) {
        let mut record = record.clone().into_owned().unwrap();
        let (from, to) = (Version(from), Version(to));
        self.0.collection(COLLECTION, from).unwrap().schema.validate(&record).unwrap();
        self.0.translate(COLLECTION, from, to, CONTEXT, &mut record, &mut residues).unwrap();
        self.0.collection(COLLECTION, to).unwrap().schema.validate(&record).unwrap();
        (record, residues)
    }

    /// What the step does, in words, and how it can be undone.
    pub fn words(&self) -> (String, exuvia_core::lens::Undo) {
        let (_, stage) = self.0.stages().last().unwrap();
        (stage.told()[0].words.clone(), stage.told()[0].undo)
    }
}
