package io.penstock.config;

import java.io.Serial;
import java.util.List;
import java.util.stream.Collectors;

/** A configuration cannot be used. The message has a line for each problem: place, key, rule, value. */
public final class ConfigException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  /**
   * One thing to put right.
   *
   * @param file the file as it was named, or the {@code --set} that brought the value
   * @param line from 1; 0: the whole file, or a {@code --set}
   * @param column from 1; 0: none
   * @param text key, rule and value
   */
  public record Problem(String file, int line, int column, String text) {
    @Override
    public String toString() {
      return file + (line > 0 ? ":" + line + ":" + column : "") + ": " + text;
    }
  }

  ConfigException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  ConfigException(Problem problem) {
    this(List.of(problem));
  }

  /** All that is wrong, as far as one reading can tell. */
  public List<Problem> problems() {
    return problems;
  }
}
