//! The builds of the reference extension.

use crate::workspace::Workspace;
use anyhow::Result;

/// One build of the extension, in `dist/NAME`.
pub struct Variant {
    name: &'static str,
    version: &'static str,
    browser: &'static str,
    chain: &'static str,
    model: &'static str,
    fault: Option<&'static str>,
}

/// What users get, in Chromium and its kin and in Firefox.
pub const RELEASES: [Variant; 2] = [RELEASE, Variant { name: "2.0.0-firefox", browser: "firefox", ..RELEASE }];

const RELEASE: Variant = Variant {
    name: "2.0.0",
    version: "2.0.0",
    browser: "chromium",
    chain: "extension/chain/index.ts",
    model: "v5",
    fault: None,
};

/// The release before, whose chain ends at version 1.
const OLD: Variant =
    Variant { name: "1.0.0", version: "1.0.0", chain: "extension/chain/index.v1.ts", model: "v1", ..RELEASE };

/// What the demo and the tests update from, and to.
pub const VARIANTS: [Variant; 4] = [
    OLD,
    Variant { name: "1.0.0-firefox", browser: "firefox", ..OLD },
    // Its last step cannot take one of the records.
    Variant { name: "2.0.0-unfit", chain: "tests/chains/unfit/index.ts", ..RELEASE },
    // A batch lands damaged.
    Variant { name: "2.0.0-damaged", fault: Some("tests/faults/damaged.ts"), ..RELEASE },
];

pub fn build(ws: &Workspace, variant: &Variant) -> Result<()> {
    let Variant { name, version, browser, chain, model, fault } = variant;
    let mut choices = vec![
        format!("out=dist/{name}"),
        format!("version={version}"),
        format!("browser={browser}"),
        format!("chain={chain}"),
        format!("model={model}"),
    ];
    choices.extend(fault.map(|path| format!("fault={path}")));
    let choices = choices.iter().flat_map(|choice| ["--env", choice]);
    Ok(ws.node_tool("webpack").args(choices).run()?)
}
