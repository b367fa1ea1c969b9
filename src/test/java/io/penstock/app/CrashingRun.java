package io.penstock.app;

import io.penstock.app.MortalDisk.Death;
import io.penstock.app.MortalDisk.Moment;
import io.penstock.config.Config;
import java.util.Arrays;

/**
 * A main of its own for {@link Crashes}: the real command line, on a disk in whose use the process dies. Its first argument says
 * when ({@code write:17}), or nothing ({@code -}): then all is as it always is.
 */
final class CrashingRun {
  static final String IMMORTAL = "-";

  private CrashingRun() {}

  public static void main(String[] args) {
    Engine engine =
        args[0].equals(IMMORTAL)
            ? new Wiring()
            : new RewiredEngine(mortal(Death.parse(args[0]))::run);
    System.exit(
        Penstock.run(engine, Terminal.ofProcess(), Arrays.copyOfRange(args, 1, args.length)));
  }

  private static Mortal mortal(Death death) {
    return new Mortal(new MortalDisk(death));
  }

  private record Mortal(MortalDisk disk) {
    Run run(Config config, RunOptions options) {
      TrainingRun run =
          TrainingRun.of(
              config, options, Devices.open(config.device(), config.precision(), System.err), disk);
      disk.at(Moment.RESTORED);
      return run;
    }
  }
}
