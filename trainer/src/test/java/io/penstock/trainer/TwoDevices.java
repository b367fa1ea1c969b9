package io.penstock.trainer;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.nd4j.Nd4jDevice;
import java.util.List;
import java.util.SplittableRandom;

/** A main: trains a model whose layers are OpenBLAS's on the devices it is given, in that order, and prints the weights of each. */
final class TwoDevices {
  private TwoDevices() {}

  public static void main(String[] devices) {
    for (String device : devices) {
      System.out.println(
          device + " " + train(device.equals("cpu") ? new CpuDevice() : Nd4jDevice.open()));
    }
  }

  private static String train(Device device) {
    ModelSpec spec =
        ModelSpec.of(
            new ModelConfig.Mlp(List.of(130, 128), ModelConfig.Activation.RELU),
            new LossConfig.Auto(),
            new OptimizerConfig.Sgd(0.05, 0),
            new LabelConfig("y", LabelType.CLASS, 10, List.of()),
            65);
    Program program = Lowering.lower(spec, SlotLayout.of(256, spec.features()), 100);
    SplittableRandom random = new SplittableRandom(5);
    StepResult result = new StepResult();
    try (SlotMemory memory = device.slotMemory();
        DeviceSession session = device.open(program, InitialParameters.of(spec, 1))) {
      Slot slot = SlotFiller.slot(program.layout(), memory);
      for (int step = 0; step < 20; step++) {
        SlotFiller.fill(slot, step, Minibatches.random(spec, 256, false, random), 0);
        session.trySubmit(slot);
        while (!session.poll(result)) {
          Thread.onSpinWait();
        }
      }
      return session.weightsSha256();
    }
  }
}
