package io.penstock.trainer.device;

import io.penstock.pipeline.State;
import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** What a session saves, the same for every device: parameters and optimizer state by tensor, and the training state. */
final class SessionState {
  private SessionState() {}

  static void save(DeviceSession session, State state) {
    Program program = session.program();
    ParameterLayout layout = program.parameters();
    float[] parameters = session.parameters();
    float[] optimizer = new float[program.size(Region.OPTIMIZER)];
    session.read(Region.OPTIMIZER, optimizer);
    for (Tensor tensor : layout.tensors()) {
      state.put(tensor.name(), part(parameters, tensor, 0));
      for (int i = 0; i < optimizer.length / layout.size(); i++) {
        state.put(optimizerName(tensor, i), part(optimizer, tensor, i * layout.size()));
      }
    }
    TrainingState training = new TrainingState(program.metrics());
    session.read(training);
    state.put("counters", training.counters());
    state.put("values", training.values());
  }

  static void restore(DeviceSession session, State state) {
    Program program = session.program();
    ParameterLayout layout = program.parameters();
    float[] parameters = new float[layout.size()];
    float[] optimizer = new float[program.size(Region.OPTIMIZER)];
    for (Tensor tensor : layout.tensors()) {
      take(state, tensor.name(), tensor, parameters, 0);
      for (int i = 0; i < optimizer.length / layout.size(); i++) {
        take(state, optimizerName(tensor, i), tensor, optimizer, i * layout.size());
      }
    }
    TrainingState training = new TrainingState(program.metrics());
    training.set(state.longs("counters"), state.doubles("values"));
    session.write(Region.PARAMETERS, parameters);
    session.write(Region.OPTIMIZER, optimizer);
    session.write(training);
  }

  static String sha256(ParameterLayout layout, float[] parameters) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
    for (Tensor tensor : layout.tensors()) {
      ByteBuffer bytes =
          ByteBuffer.allocate(tensor.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(parameters, tensor.offset(), tensor.size());
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static float[] part(float[] values, Tensor tensor, int base) {
    int from = base + tensor.offset();
    return Arrays.copyOfRange(values, from, from + tensor.size());
  }

  private static void take(State state, String name, Tensor tensor, float[] values, int base) {
    float[] saved = state.floats(name);
    if (saved.length != tensor.size()) {
      throw new IllegalStateException(
          "saved state: '%s' has %d values, the model needs %d: it is of another model"
              .formatted(name, saved.length, tensor.size()));
    }
    System.arraycopy(saved, 0, values, base + tensor.offset(), saved.length);
  }

  private static String optimizerName(Tensor tensor, int index) {
    return tensor.name() + ".optimizer" + index;
  }
}
