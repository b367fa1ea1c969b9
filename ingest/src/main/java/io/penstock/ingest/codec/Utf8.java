package io.penstock.ingest.codec;

/** Well-formed UTF-8 (Unicode 16, table 3-7), checked without making text of it. */
final class Utf8 {
  private Utf8() {}

  static boolean isValid(byte[] text, int from, int to) {
    int p = EightBytes.asciiEnd(text, from, to);
    while (p < to) {
      int first = text[p];
      int length = first >= 0 ? 1 : sequenceLength(text, p, to);
      if (length == 0) {
        return false;
      }
      p += length;
    }
    return true;
  }

  /** Bytes of the character that begins with a non-ASCII byte at {@code p}; 0 where it is not well-formed. */
  private static int sequenceLength(byte[] text, int p, int to) {
    int first = text[p] & 0xff;
    int length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || to - p < length) {
      return 0;
    }
    int second = text[p + 1] & 0xff;
    int lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80; // no overlong form
    int highest =
        first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf; // no surrogate, nothing past U+10FFFF
    boolean valid = second >= lowest && second <= highest;
    for (int i = p + 2; i < p + length; i++) {
      valid &= (text[i] & 0xc0) == 0x80;
    }
    return valid ? length : 0;
  }
}
