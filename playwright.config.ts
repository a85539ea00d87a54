import { defineConfig } from "@playwright/test";

export default defineConfig({
  outputDir: "target/playwright",
  // Each browser test has a browser and a profile of its own; more than one at a time only slows small machines down.
  workers: 1,
  forbidOnly: true,
  reporter: [["list"]],
  projects: [
    { name: "unit", testMatch: ["tests/*.test.ts", "extension/**/*.test.ts"] },
    { name: "extension", testMatch: "tests/e2e/*.spec.ts", timeout: 120_000 },
    { name: "firefox", testMatch: "tests/firefox/*.spec.ts", timeout: 120_000 },
  ],
});
