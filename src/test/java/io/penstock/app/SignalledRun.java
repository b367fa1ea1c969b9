package io.penstock.app;

import io.penstock.app.RunSnapshot.Phase;

/** A main of its own for {@link TerminationTest}: trains with a run that ends when told to, or (given "deaf") never. */
final class SignalledRun {
  private SignalledRun() {}

  public static void main(String[] args) {
    FakeEngine engine = new FakeEngine();
    boolean deaf = args[0].equals("deaf");
    engine.runs =
        _ ->
            new FakeRun() {
              @Override
              public void stop() {
                if (deaf) {
                  become(FakeRun.snapshot(Phase.STOPPING, 512, 0));
                } else {
                  super.stop();
                }
              }
            };
    System.exit(Penstock.run(engine, Terminal.ofProcess(), "train", "c.yaml", "--report", args[1]));
  }
}
