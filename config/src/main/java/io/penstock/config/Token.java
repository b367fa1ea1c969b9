package io.penstock.config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A secret that whoever connects must give. It shows itself to nobody but those who ask for {@link #secret}. */
public final class Token {
  static final String RULE =
      "a token must be 16 to 512 letters, digits, '.', '_', '~', '+', '/', '=' and '-' (openssl rand -hex 32 makes one)";

  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._~+/=-]{16,512}");

  private final String secret;
  private final byte[] bytes;

  /**
   * A token. What it may hold is what a bearer token may (RFC 6750, section 2.1).
   *
   * @throws IllegalArgumentException where it cannot be one; the message does not say what it is
   */
  public Token(String secret) {
    if (!FORM.matcher(secret).matches()) {
      throw new IllegalArgumentException(RULE);
    }
    this.secret = secret;
    bytes = secret.getBytes(StandardCharsets.US_ASCII);
  }

  /** Whether {@code given} is this token; takes as long whatever of it is right. */
  public boolean isGiven(@Nullable String given) {
    return given != null && MessageDigest.isEqual(bytes, given.getBytes(StandardCharsets.UTF_8));
  }

  /** The token itself, to be sent. */
  public String secret() {
    return secret;
  }

  /** Does not show it. */
  @Override
  public String toString() {
    return "a token";
  }
}
