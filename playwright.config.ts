import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  outputDir: "target/playwright",
  // Each browser test has a browser and a profile of its own; more than one at a time only slows small machines down.
  workers: 1,
  forbidOnly: true,
  reporter: [["list"]],
  projects: [
    { name: "unit", testMatch: "*.test.ts" },
    { name: "extension", testMatch: "e2e/*.spec.ts", timeout: 120_000 },
  ],
});
