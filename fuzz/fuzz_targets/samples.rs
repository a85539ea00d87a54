//! The chains that are in the repository.

use exuvia_core::chain::{Chain, Lock, Migration};

/// The reference extension's.
pub const REFERENCE: [&str; 5] = [
    include_str!("../../extension/chain/0001-baseline.json"),
    include_str!("../../extension/chain/0002-ai-settings.json"),
    include_str!("../../extension/chain/0003-conversation-keys.json"),
    include_str!("../../extension/chain/0004-distillation-notes.json"),
    include_str!("../../extension/chain/0005-privacy.json"),
];

/// One whose last step refuses some records that fit.
#[allow(dead_code, reason = "for records only")]
pub const UNFIT: [&str; 5] = [
    include_str!("../../tests/chains/unfit/0001-baseline.json"),
    include_str!("../../tests/chains/unfit/0002-ai-settings.json"),
    include_str!("../../tests/chains/unfit/0003-conversation-keys.json"),
    include_str!("../../tests/chains/unfit/0004-distillation-notes.json"),
    include_str!("../../tests/chains/unfit/0005-distillation-times.json"),
];

pub fn chain(files: &[&str]) -> Chain {
    let migrations = files.iter().map(|text| Migration::parse(text).expect("a migration")).collect();
    Chain::arrange(migrations, &Lock::default()).expect("a chain")
}
