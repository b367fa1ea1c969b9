package io.penstock.ingest.codec;

/**
 * The parts of JSON (RFC 8259) in a line of text. Indices go in and come out: behind what was looked at, or, where it is not
 * JSON, the complement ({@code ~}) of where it went wrong. Every line must end in a newline with eight bytes behind it; none is
 * looked beyond.
 */
final class JsonText {
  /** Arrays and objects within each other that are taken. */
  static final int MAX_DEPTH = 512;

  private JsonText() {}

  /** The first byte that is no space. */
  static int space(byte[] text, int from) {
    int p = from;
    while (text[p] == ' ' || text[p] == '\t' || text[p] == '\r') {
      p++;
    }
    return p;
  }

  /** Passes over the number at {@code from}. */
  static int number(byte[] text, int from) {
    int p = text[from] == '-' ? from + 1 : from;
    int digits = digits(text, p);
    if (digits == p || (text[p] == '0' && digits > p + 1)) {
      return ~p;
    }
    p = digits;
    if (text[p] == '.') {
      digits = digits(text, p + 1);
      if (digits == p + 1) {
        return ~digits;
      }
      p = digits;
    }
    if (text[p] == 'e' || text[p] == 'E') {
      p++;
      p = text[p] == '+' || text[p] == '-' ? p + 1 : p;
      digits = digits(text, p);
      return digits == p ? ~p : digits;
    }
    return p;
  }

  private static int digits(byte[] text, int from) {
    int p = from;
    while (text[p] >= '0' && text[p] <= '9') {
      p++;
    }
    return p;
  }

  /** Passes over {@code true}, {@code false} or {@code null} at {@code from}. */
  static int literal(byte[] text, int from) {
    return switch (text[from]) {
      case 't' -> word("true", text, from);
      case 'f' -> word("false", text, from);
      case 'n' -> word("null", text, from);
      default -> ~from;
    };
  }

  private static int word(String word, byte[] text, int from) {
    for (int i = 1; i < word.length(); i++) {
      if (text[from + i] != word.charAt(i)) {
        return ~(from + i);
      }
    }
    return from + word.length();
  }

  /** Passes over the rest of a string, from behind its quote; its escapes are looked at, its UTF-8 is not. */
  static int string(byte[] text, int from) {
    int p = EightBytes.plainEnd(text, from);
    while (text[p] == '\\') {
      p = escape(text, p);
      if (p < 0) {
        return p;
      }
      p = EightBytes.plainEnd(text, p);
    }
    return text[p] == '"' ? p + 1 : ~p;
  }

  private static int escape(byte[] text, int backslash) {
    int p = backslash + 1;
    return switch (text[p]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> p + 1;
      case 'u' -> unit(text, p + 1) < 0 ? ~p : p + 5;
      default -> ~p;
    };
  }

  /** The UTF-16 code unit in four hexadecimal digits; -1 where they are none. */
  private static int unit(byte[] text, int from) {
    int unit = 0;
    for (int p = from; p < from + 4; p++) {
      int digit = Character.digit(text[p], 16); // a newline is none: nothing is looked at behind it
      if (digit < 0) {
        return -1;
      }
      unit = (unit << 4) | digit;
    }
    return unit;
  }

  /**
   * Copies the string between its quotes, escapes resolved, as UTF-8.
   *
   * @param into has room for as many bytes
   * @return its length, or -1 where an escape stands for half a character
   */
  static int unescape(byte[] text, int from, int to, byte[] into) {
    int length = 0;
    int p = from;
    while (p < to) {
      if (text[p] != '\\') {
        into[length++] = text[p++];
      } else if (text[p + 1] != 'u') {
        into[length++] = unescaped(text[p + 1]);
        p += 2;
      } else {
        int unit = unit(text, p + 2);
        p += 6;
        int point = unit;
        if (Character.isHighSurrogate((char) unit) && text[p] == '\\' && text[p + 1] == 'u') {
          int low = unit(text, p + 2);
          point =
              Character.isLowSurrogate((char) low)
                  ? Character.toCodePoint((char) unit, (char) low)
                  : unit;
          p += 6;
        }
        if (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE) {
          return -1;
        }
        length = encode(point, into, length);
      }
    }
    return length;
  }

  private static byte unescaped(byte c) {
    return switch (c) {
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      default -> c;
    };
  }

  private static int encode(int point, byte[] into, int at) {
    int length = at;
    if (point < 0x80) {
      into[length++] = (byte) point;
    } else if (point < 0x800) {
      into[length++] = (byte) (0xc0 | (point >> 6));
      into[length++] = (byte) (0x80 | (point & 0x3f));
    } else if (point < 0x1_0000) {
      into[length++] = (byte) (0xe0 | (point >> 12));
      into[length++] = (byte) (0x80 | ((point >> 6) & 0x3f));
      into[length++] = (byte) (0x80 | (point & 0x3f));
    } else {
      into[length++] = (byte) (0xf0 | (point >> 18));
      into[length++] = (byte) (0x80 | ((point >> 12) & 0x3f));
      into[length++] = (byte) (0x80 | ((point >> 6) & 0x3f));
      into[length++] = (byte) (0x80 | (point & 0x3f));
    }
    return length;
  }

  /**
   * Passes over any value.
   *
   * @param depth arrays and objects around it
   */
  static int value(byte[] text, int from, int depth) {
    return switch (text[from]) {
      case '"' -> string(text, from + 1);
      case '{', '[' -> container(text, from, depth + 1);
      case 't', 'f', 'n' -> literal(text, from);
      default -> number(text, from);
    };
  }

  private static int container(byte[] text, int from, int depth) {
    boolean object = text[from] == '{';
    int end = object ? '}' : ']';
    if (depth > MAX_DEPTH) {
      return ~from;
    }
    int p = space(text, from + 1);
    if (text[p] == end) {
      return p + 1;
    }
    while (true) {
      if (object) {
        p = key(text, p);
        if (p < 0) {
          return p;
        }
      }
      p = value(text, p, depth);
      if (p < 0) {
        return p;
      }
      p = space(text, p);
      if (text[p] != ',') {
        return text[p] == end ? p + 1 : ~p;
      }
      p = space(text, p + 1);
    }
  }

  /** Passes over a key, its colon and the spaces around that. */
  private static int key(byte[] text, int from) {
    if (text[from] != '"') {
      return ~from;
    }
    int p = string(text, from + 1);
    return p < 0 ? p : colon(text, p);
  }

  /** Passes over a colon and the spaces around it. */
  static int colon(byte[] text, int from) {
    int p = space(text, from);
    return text[p] == ':' ? space(text, p + 1) : ~p;
  }
}
