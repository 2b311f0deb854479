/** The public face of one entry of the package as text, made by API Extractor from the built declarations. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type IConfigFile,
} from "@microsoft/api-extractor";

const REPORT = "report.api.md";

/**
 * @param packageFolder  with package.json and what is built
 * @param declarations   path of the entry's declarations in it
 * @returns a Markdown document: every exported name with its signature, sorted
 */
export function apiReport(packageFolder: string, declarations: string): string {
  const folder = mkdtempSync(join(tmpdir(), "chorale-api-"));
  try {
    const configObject: IConfigFile = {
      projectFolder: packageFolder,
      mainEntryPointFilePath: join(packageFolder, declarations),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: "nodenext",
            target: "esnext",
            strict: true,
            types: ["node"],
            skipLibCheck: true,
          },
          files: [declarations],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: folder,
        reportTempFolder: join(folder, "temporary"),
        reportFileName: REPORT,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    };
    const config = ExtractorConfig.prepare({
      configObject,
      configObjectFullPath: undefined,
      packageJsonFullPath: join(packageFolder, "package.json"),
    });
    const problems: string[] = [];
    Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        if (message.category === "Compiler") problems.push(message.text);
        message.handled = true;
      },
    });
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return readFileSync(join(folder, REPORT), "utf8").replaceAll("\r\n", "\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names that a report's signatures mention and that its entry does not export. */
export function unexported(report: string): string[] {
  const found = report.matchAll(/\(ae-forgotten-export\) The symbol "(\w+?)(?:_\d+)?" needs/g);
  return [...new Set([...found].map(([, name]) => name as string))].sort();
}

/** Names that a report's entry exports. */
export function exported(report: string): string[] {
  const declared = report.matchAll(
    /^export (?:declare )?(?:abstract )?(?:class|const|function|interface|type|enum) (\w+)/gm,
  );
  const renamed = report.matchAll(/^export \{ (?:\w+ as )?(\w+) \}/gm);
  return [...declared, ...renamed].map(([, name]) => name as string);
}
