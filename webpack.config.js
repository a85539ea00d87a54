import { resolve } from "node:path";
import CopyPlugin from "copy-webpack-plugin";

const at = (...path) => resolve(import.meta.dirname, ...path);

/** Builds the extension. What a build may choose, as `--env name=value`:
 *
 * - `out`      the folder to write
 * - `version`  the version in its manifest
 * - `browser`  `chromium` or `firefox`, whose manifests differ
 * - `chain`    the module that holds its chain
 * - `model`    which form of the data its pages read
 * - `fault`    a module that runs before the worker, to let a test break something */
export default ({
  out = "dist/2.0.0",
  version = "2.0.0",
  browser = "chromium",
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
        { from: "manifest.json", transform: (text) => manifestFor(browser, version, JSON.parse(text.toString())) },
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

function manifestFor(browser, version, manifest) {
  const { key, minimum_chrome_version, browser_specific_settings, background, ...shared } = manifest;
  const own =
    browser === "firefox"
      ? { browser_specific_settings, background: { scripts: [background.service_worker] } }
      : { key, minimum_chrome_version, background };
  return JSON.stringify({ ...shared, ...own, version }, null, 2) + "\n";
}
