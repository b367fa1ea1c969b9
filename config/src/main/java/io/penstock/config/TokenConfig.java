package io.penstock.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where the token is that whoever connects must give. The configuration says where, never what: so it can be shown, kept in
 * checkpoints and passed on.
 *
 * @param file that holds the token, and nothing else but white space around it
 * @param environment variable that holds it; exactly one of the two must be given
 */
public record TokenConfig(@Nullable String file, @Nullable String environment) {
  /** Checks that there is one place to look at. */
  public TokenConfig {
    if ((file == null) == (environment == null)) {
      throw new InvalidSetting(
          "",
          "must have either file or environment, %s"
              .formatted(file == null ? "and has none" : "not both"));
    }
    if (file != null && file.isBlank()) {
      throw new InvalidSetting("file", "must name a file, not be empty");
    }
    if (environment != null && environment.isBlank()) {
      throw new InvalidSetting("environment", "must name a variable, not be empty");
    }
  }

  /**
   * Reads the token.
   *
   * @throws IllegalArgumentException where it is not there or cannot be one, saying why but not what it is
   */
  public Token read() {
    return read(System::getenv);
  }

  Token read(UnaryOperator<@Nullable String> variables) {
    if (file != null) {
      return token(file, text(file));
    }
    String what = "the variable " + environment;
    String text = variables.apply(environment);
    if (text == null) {
      throw new IllegalArgumentException(what + " is not set");
    }
    return token(what, text);
  }

  private static Token token(String what, String text) {
    try {
      return new Token(text.strip());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(what + ": " + e.getMessage(), e);
    }
  }

  private static String text(String file) {
    String problem;
    Exception cause;
    try {
      return Files.readString(Path.of(file));
    } catch (NoSuchFileException e) {
      problem = "there is no such file";
      cause = e;
    } catch (AccessDeniedException e) {
      problem = "may not be read";
      cause = e;
    } catch (CharacterCodingException e) {
      problem = Token.RULE;
      cause = e;
    } catch (IOException e) {
      problem = "cannot be read: " + e.getMessage();
      cause = e;
    }
    throw new IllegalArgumentException(file + ": " + problem, cause);
  }

  /** For people: where it is looked for. */
  @Override
  public String toString() {
    return file == null ? "from the variable " + environment : "from " + file;
  }
}
