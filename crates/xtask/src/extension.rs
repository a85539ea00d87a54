//! The builds of the reference extension.

use crate::workspace::Workspace;
use anyhow::Result;

/// One build of the extension, in `dist/NAME`.
pub struct Variant {
    name: &'static str,
    version: &'static str,
    chain: &'static str,
    model: &'static str,
    fault: Option<&'static str>,
}

/// What users get.
pub const RELEASE: Variant =
    Variant { name: "2.0.0", version: "2.0.0", chain: "extension/chain/index.ts", model: "v5", fault: None };

/// What the demo and the tests update from, and to.
pub const VARIANTS: [Variant; 3] = [
    // The release before, whose chain ends at version 1.
    Variant { name: "1.0.0", version: "1.0.0", chain: "extension/chain/index.v1.ts", model: "v1", fault: None },
    // Its last step cannot take one of the records.
    Variant { name: "2.0.0-unfit", chain: "tests/chains/unfit/index.ts", ..RELEASE },
    // A batch lands damaged.
    Variant { name: "2.0.0-damaged", fault: Some("tests/faults/damaged.ts"), ..RELEASE },
];

pub fn build(ws: &Workspace, variant: &Variant) -> Result<()> {
    let Variant { name, version, chain, model, fault } = variant;
    let mut choices = vec![
        format!("out=dist/{name}"),
        format!("version={version}"),
        format!("chain={chain}"),
        format!("model={model}"),
    ];
    choices.extend(fault.map(|path| format!("fault={path}")));
    let choices = choices.iter().flat_map(|choice| ["--env", choice]);
    Ok(ws.node_tool("webpack").args(choices).run()?)
}
