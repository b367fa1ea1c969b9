package io.penstock.trainer.model;

/**
 * How well the model predicted rows before it was trained on them (test, then train; Dawid's prequential analysis, 1984).
 *
 * @param rows rows counted: those of weight above 0, each once
 * @param window rows over which {@code windowed} fades
 * @param cumulative over all rows
 * @param windowed each row fading the earlier ones by 1 - 1/window (Gama, Sebastião and Rodrigues, 2013), exactly, whatever the
 *     minibatch
 */
public record Evaluation(long rows, int window, Metrics cumulative, Metrics windowed) {}
