import { resolve } from "node:path";
import CopyPlugin from "copy-webpack-plugin";

const at = (...path) => resolve(import.meta.dirname, ...path);

/** Builds the extension. What a build may choose, as `--env name=value`:
 *
 * - `out`      the folder to write
 * - `version`  the version in its manifest
 * - `chain`    the module that holds its chain
 * - `model`    which form of the data its pages read
 * - `fault`    a module that runs before the worker, to let a test break something */
export default ({
  out = "dist/2.0.0",
  version = "2.0.0",
  chain = "extension/chain/index.ts",
  model = "v5",
  fault,
}) => ({
  mode: "production",
  context: at(),
  entry: {
    worker: [...(fault ? [at(fault)] : []), at("extension/worker/index.ts")],
    popup: at("extension/popup/index.ts"),
    settings: at("extension/settings/index.ts"),
  },
  output: { path: at(out), filename: "[name]/index.js", clean: true },
  resolve: {
    extensions: [".ts", ".js"],
    extensionAlias: { ".js": [".ts", ".js"] },
    alias: {
      exuvia$: at("pkg/index.js"),
      "#chain$": at(chain),
      "#model$": at(`extension/model/${model}.ts`),
    },
  },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: "ts-loader",
        options: {
          configFile: at("tsconfig.extension.json"),
          // Types are checked once for all builds, by `tsc --build`.
          transpileOnly: true,
          compilerOptions: { noEmit: false },
        },
      },
    ],
  },
  plugins: [
    new CopyPlugin({
      patterns: [
        { from: "manifest.json", transform: (text) => withVersion(text, version) },
        { from: "pkg/engine_bg.wasm" },
        { from: "icons/*.png", context: "extension" },
        { from: "{popup,settings}/*.{html,css}", context: "extension" },
      ],
    }),
  ],
  // What a reviewer of the store reads, and what a stack trace names.
  optimization: { minimize: false, moduleIds: "named" },
  devtool: false,
  // No stand-ins for what only Node has.
  node: false,
  performance: false,
  stats: "errors-warnings",
});

function withVersion(text, version) {
  return JSON.stringify({ ...JSON.parse(text.toString()), version }, null, 2) + "\n";
}
