package io.penstock.app;

import io.penstock.ingest.codec.ObjectRow;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.codec.UnlabelledRows;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/** Rows to be predicted as JSON objects. */
abstract sealed class JsonRows implements UnlabelledRows {
  private final ObjectRow fields;
  private String refusal = "";

  private JsonRows(ObjectRow fields) {
    this.fields = fields;
  }

  @Override
  public String refusal() {
    return refusal;
  }

  final Next refuse(String why) {
    refusal = why;
    return Next.REFUSED;
  }

  final Next decode(byte[] json, int from, int to, int row) {
    String refused = fields.decode(json, from, to, row);
    return refused == null ? Next.ROW : refuse(refused);
  }

  /** An object, an array of objects, or several of these; Jackson finds where each begins and ends. */
  static final class Document extends JsonRows {
    private final byte[] text;
    private final JsonParser json;
    private boolean inArray;

    Document(ObjectRow fields, InputStream in) throws IOException {
      super(fields);
      text = in.readAllBytes();
      json = JsonMapper.shared().createParser(text);
    }

    @Override
    public Next next(int row) {
      try {
        while (true) {
          JsonToken token = json.nextToken();
          switch (token) {
            case null -> {
              json.close();
              return Next.END;
            }
            case START_OBJECT -> {
              return object(row);
            }
            case START_ARRAY -> {
              if (inArray) {
                json.skipChildren();
                return refuse("a row must be an object, not an array");
              }
              inArray = true;
            }
            case END_ARRAY -> inArray = false;
            default -> {
              if (!inArray) {
                throw new SourceException(
                    "the body must be an object with the fields of a row, or an array of such, not '%s'"
                        .formatted(json.getString()));
              }
              return refuse("a row must be an object, not '%s'".formatted(json.getString()));
            }
          }
        }
      } catch (JacksonException e) {
        throw new SourceException("not JSON: %s".formatted(e.getOriginalMessage()), e);
      }
    }

    private Next object(int row) {
      long from = json.currentTokenLocation().getByteOffset();
      json.skipChildren();
      long to = json.currentLocation().getByteOffset();
      if (from < 0 || to < 0) {
        throw new SourceException("JSON must be in UTF-8");
      }
      return decode(text, (int) from, (int) to, row);
    }
  }

  /** An object a line; a line that is none takes no other with it. */
  static final class Lines extends JsonRows {
    private final InputStream in;
    private final int maxLineBytes;
    private final Line line = new Line();

    Lines(ObjectRow fields, InputStream in, int maxLineBytes) {
      super(fields);
      this.in = in;
      this.maxLineBytes = maxLineBytes;
    }

    /** Is decoded where it lies. */
    private static final class Line extends ByteArrayOutputStream {
      byte[] bytes() {
        return buf;
      }
    }

    @Override
    public Next next(int row) throws IOException {
      while (true) {
        line.reset();
        int c = in.read();
        boolean ended = c < 0;
        boolean blank = true;
        for (; c >= 0 && c != '\n'; c = in.read()) {
          blank &= c == ' ' || c == '\t' || c == '\r';
          line.write(c);
          if (line.size() > maxLineBytes) {
            throw new SourceException(
                "a row is longer than %d bytes, the most that is taken".formatted(maxLineBytes));
          }
        }
        if (!blank) {
          return decode(line.bytes(), 0, line.size(), row);
        }
        if (ended) {
          return Next.END;
        }
      }
    }
  }
}
