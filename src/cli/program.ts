import { Command, CommanderError } from "commander";
import { Failure } from "./failure.ts";
import { HangUps } from "./hang-ups.ts";

/** What the command line asked for. */
export interface Program {
  /** @returns the exit code */
  run(argv: readonly string[]): Promise<number>;
}

const NO_DEFAULT = [
  "--no-default-config",
  "do not look for /etc/distribution/config.yml and /etc/docker/registry/config.yml",
] as const;

/** @param early what has looked out for SIGHUP since the process began */
export function createProgram(version: string, early?: HangUps): Program {
  let code = 0;
  const program = new Command("wharfinger")
    .description("A container registry that takes the place of docker/distribution.")
    .version(`wharfinger ${version}`, "-v, --version", "print the version")
    .exitOverride()
    .showSuggestionAfterError();

  program
    .command("serve")
    .description("serve a registry until SIGTERM or SIGINT")
    .argument(
      "[config]",
      "configuration file; $REGISTRY_CONFIGURATION_PATH or the peers' default files where not given",
    )
    .option(...NO_DEFAULT)
    .addHelpText(
      "after",
      "\nWithout any configuration: port 5000, data in ./data. REGISTRY_* variables override the file.",
    )
    .action(async (path: string | undefined, flags: { readonly defaultConfig: boolean }) => {
      const hangUps = early ?? new HangUps();
      const { serve } = await import("./serve.ts");
      code = await serve(path, flags, version, hangUps);
    });

  program
    .command("worker", { hidden: true })
    .description("one of the processes that serve starts")
    .action(async () => {
      const { work } = await import("./work.ts");
      code = await work(version);
    });

  const config = program.command("config").description("work with configuration files");

  config
    .command("check")
    .description("say whether a configuration would be accepted, and what in it is ignored")
    .argument("[config]", "configuration file, as for serve")
    .option(...NO_DEFAULT)
    .addHelpText("after", "\nModules that the configuration names are not loaded; serve does that.")
    .action(async (path: string | undefined, flags: { readonly defaultConfig: boolean }) => {
      const { checkConfig } = await import("./config-check.ts");
      checkConfig(path, flags);
    });

  config
    .command("show")
    .description("print the configuration that counts: the file, variables and defaults, with secrets masked")
    .argument("[config]", "configuration file, as for serve")
    .option(...NO_DEFAULT)
    .action(async (path: string | undefined, flags: { readonly defaultConfig: boolean }) => {
      const { printConfig } = await import("./config-show.ts");
      printConfig(path, flags);
    });

  program
    .command("notifications")
    .description("look at the notifications of a registry")
    .command("status")
    .description("say what waits for each endpoint, since when, and why the last attempt failed")
    .argument("[config]", "configuration file, as for serve")
    .option(...NO_DEFAULT)
    .action(async (path: string | undefined, flags: { readonly defaultConfig: boolean }) => {
      const { notificationsStatus } = await import("./notifications-status.ts");
      notificationsStatus(path, flags);
    });

  program
    .command("garbage-collect")
    .description("not there yet: says what to do instead")
    .argument("[config]", "configuration file, as for serve")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const { collectGarbage } = await import("./garbage-collect.ts");
      collectGarbage();
    });

  return {
    async run(argv) {
      try {
        await program.parseAsync(argv, { from: "user" });
        return code;
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode;
        if (!(error instanceof Failure)) throw error;
        process.stderr.write(`${error.message}\n`);
        return 1;
      }
    },
  };
}
