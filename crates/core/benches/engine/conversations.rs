//! Conversations as version 1 of the reference extension keeps them, about 20 kB each. The same seed gives the same.

use serde_json::{Value, json};

/// Words, and what makes JSON hard to read quickly: escapes, characters of several bytes, braces inside of texts.
const PIECES: [&str; 14] = [
    "The short answer is to make a copy, and only then to look at the rest. ",
    "There are three common ways to approach a slow query, and each has its price. ",
    "What people usually forget is that someone has to water the tomatoes every day. ",
    "In practice it costs less time than it seems, about 20 minutes in 2 sittings. ",
    "My neighbour says one should leave it overnight, but I have never seen it help. ",
    "Nothing is lost if you stop here; the rest can wait until tomorrow.\n\n",
    "Yes, and there is a second reason: you can always go back.\n",
    "Größere Änderungen brauchen Übung. ",
    "今日はデータの移行について説明します。",
    "هذا سؤال جيد عن النسخ الاحتياطي. ",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🦋 ",
    "```json\n{ \"a.b\": [1, 2.50, 1e3, null], \"~\": \"\\u0041\" }\n```\n",
    "```ts\nconst path = \"C:\\\\data\"; if (a < b) { return `${path}\\n`; }\n```\n",
    "tab\there, quote \" and backslash \\ there. ",
];

/// `count` records as JSON text. With `strangers` some messages have an unknown member where a later version puts its
/// own: what stands there is kept as residue.
pub fn conversations(count: usize, strangers: bool) -> Vec<String> {
    let mut random = Random(20_231_011);
    (0..count).map(|_| conversation(&mut random, strangers).to_string()).collect()
}

fn conversation(random: &mut Random, strangers: bool) -> Value {
    let created = 1_672_531_200 + random.below(100_000_000);
    let messages: Vec<_> = (0..20)
        .map(|index| {
            let sender =
                ["human", "assistant", "assistant", "tool"][(index % 2) + 2 * usize::from(random.below(20) == 0)];
            let mut message = json!({ "sender": sender, "text": text(random), "time": time(random, created + index) });
            if strangers && index % 8 == 3 {
                message["role"] = "narrator".into();
            }
            message
        })
        .collect();
    json!({
        "id": format!("{:016x}", random.next()), "title": "Questions about sourdough bread",
        "create_time": time(random, created), "update_time": time(random, created + 20),
        "model": "gpt-4o", "archived": false, "plugins": null, "messages": messages,
    })
}

fn text(random: &mut Random) -> String {
    let length = 200 + random.below(1_400);
    let mut text = String::new();
    while text.len() < length {
        text.push_str(PIECES[random.below(PIECES.len())]);
    }
    text
}

/// Seconds with the decimals that exports have: usually six, sometimes none.
fn time(random: &mut Random, seconds: usize) -> Value {
    match random.below(20) {
        0 => seconds.into(),
        _ => (seconds as f64 + random.below(1_000_000) as f64 / 1e6).into(),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
