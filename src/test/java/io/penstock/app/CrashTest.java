package io.penstock.app;

import io.penstock.app.MortalDisk.Death;
import io.penstock.app.MortalDisk.Moment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A run that is killed again and again ends as one that was not, to the bit: on every device here but nd4j, whose native library
 * is in a process of its own in the build.
 */
class CrashTest {
  private static final int FEW = 3;
  private static final int SOME = 5;
  private static final int MANY = 100;

  private @TempDir Path folder;

  static List<String> devices() {
    return Devices.reports().stream()
        .filter(device -> device.usable() && !device.name().equals("nd4j"))
        .map(Engine.DeviceReport::name)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnElec2ThoughKilled(String device) throws Exception {
    new Crashes(Workload.elec2(folder), device, folder).briefly().die(SOME);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameThoughItDiesInTheUseOfItsDisk(String device) throws Exception {
    new Crashes(Workload.csv(folder, 20_000), device, folder)
        .briefly()
        .dyingFirstIn(
            new Death(Moment.WRITE, 3),
            new Death(Moment.FORCE, 2),
            new Death(Moment.OPEN, 1),
            new Death(Moment.MOVE, 1),
            new Death(Moment.FORCE_NAMES, 1),
            new Death(Moment.RESTORED, 1))
        .die(6);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnAGeneratedStreamThoughKilled(String device) throws Exception {
    new Crashes(Workload.generator(400_000), device, folder).briefly().die(SOME);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnWhatAFeedSendsThoughBothAreKilled(String device) throws Exception {
    new Crashes(Workload.tcp(folder, 15_000, 0), device, folder).briefly().die(FEW);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldGoBackAndDoWithoutTheSameRowsThoughKilled(String device) throws Exception {
    Workload poisoned = Workload.csv(folder, 20_000, 900);
    new Crashes(poisoned, device, folder).briefly().goingBack().die(FEW);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void shouldGoBackAndDoWithoutTheSameRowsThatAFeedSendsThoughBothAreKilled(String device)
      throws Exception {
    new Crashes(Workload.tcp(folder, 15_000, 700), device, folder).briefly().goingBack().die(1);
  }

  @Tag("chaos")
  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnElec2ThoughKilledAHundredTimes(String device) throws Exception {
    new Crashes(Workload.elec2(folder), device, folder).die(MANY);
  }

  @Tag("chaos")
  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnRejectedRowsCategoriesAndWeightsThoughKilledAHundredTimes(String device)
      throws Exception {
    new Crashes(Workload.csv(folder, 60_000), device, folder).die(MANY);
  }

  @Tag("chaos")
  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnAGeneratedStreamThoughKilledAHundredTimes(String device)
      throws Exception {
    new Crashes(Workload.generator(2_000_000), device, folder).die(MANY);
  }

  @Tag("chaos")
  @ParameterizedTest
  @MethodSource("devices")
  void shouldTrainTheSameOnWhatAFeedSendsThoughBothAreKilledAHundredTimes(String device)
      throws Exception {
    new Crashes(Workload.tcp(folder, 30_000, 0), device, folder).die(MANY);
  }

  @Tag("chaos")
  @ParameterizedTest
  @MethodSource("devices")
  void shouldGoBackAndDoWithoutTheSameRowsThoughKilledAHundredTimes(String device)
      throws Exception {
    new Crashes(Workload.csv(folder, 20_000, 900), device, folder).goingBack().die(MANY);
  }
}
