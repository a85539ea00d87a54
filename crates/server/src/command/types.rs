use std::borrow::Cow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use exuvia_core::chain::{Collection, Version};
use exuvia_core::document::Value;
use exuvia_core::schema::typescript;

use super::infer::pretty;
use crate::chain_folder::ChainFolder;
use crate::failure::Failure;
use crate::output;

/// Print the types of a version's records, for TypeScript or as JSON Schema
#[derive(Args)]
#[command(disable_version_flag = true)]
pub(crate) struct Types {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// The version; the newest where it is not given
    #[arg(long, value_name = "V")]
    version: Option<u32>,
    /// The language
    #[arg(long, value_enum, default_value_t = Format::Typescript)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// An exported type for each collection
    Typescript,
    /// An object with a JSON Schema (draft 2020-12) for each collection
    JsonSchema,
}

impl Types {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let chain = ChainFolder::new(&self.chain).arrange()?;
        let version = self.version.map_or(chain.tip(), Version);
        if version == Version(0) || version > chain.tip() {
            return Err(Failure::usage(format!("expected a version from 1 to {}, found {version}", chain.tip())));
        }
        let collections = chain.collections(version);
        match self.format {
            Format::Typescript => {
                let schemas = collections.iter().map(|(name, collection)| (&**name, &collection.schema));
                output::write(&typescript(version.0, schemas))
            }
            Format::JsonSchema => {
                let schemas = collections.iter().map(|(name, at)| (Cow::Borrowed(&**name), json_schema(at)));
                output::write(&pretty(&Value::Object(schemas.collect())))
            }
        }
    }
}

/// The schema with its dialect named first.
fn json_schema(collection: &Collection) -> Value<'static> {
    let dialect = (Cow::Borrowed("$schema"), Value::from("https://json-schema.org/draft/2020-12/schema"));
    match collection.schema.to_value() {
        Value::Object(members) => Value::Object([dialect].into_iter().chain(members).collect()),
        other => other,
    }
}
