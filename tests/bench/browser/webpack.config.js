import { resolve } from "node:path";
import CopyPlugin from "copy-webpack-plugin";

const at = (...path) => resolve(import.meta.dirname, "../../..", ...path);

/** Builds the extension in whose worker the migrations run side by side. */
export default {
  mode: "production",
  context: import.meta.dirname,
  entry: { worker: "./worker.ts" },
  output: { path: at("target/bench/extension"), filename: "[name].js", clean: true, chunkFormat: false },
  target: "webworker",
  resolve: {
    extensions: [".ts", ".js"],
    extensionAlias: { ".js": [".ts", ".js"] },
    alias: { exuvia$: at("pkg/index.js") },
  },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: "ts-loader",
        options: {
          configFile: at("tsconfig.tests.json"),
          transpileOnly: true,
          compilerOptions: { noEmit: false },
        },
      },
    ],
  },
  plugins: [new CopyPlugin({ patterns: ["manifest.json", at("pkg/engine_bg.wasm")] })],
  devtool: false,
  node: false,
  performance: false,
  stats: "errors-warnings",
};
