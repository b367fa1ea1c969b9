package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.ingest.codec.FieldRow;
import io.penstock.ingest.codec.SourceException;
import io.penstock.ingest.codec.UnlabelledRows;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/** Rows as JSON objects, whose members are the fields. Values are taken as the same text in a CSV row would be; null is empty. */
abstract sealed class JsonRows implements UnlabelledRows {
  private final FieldRow fields;
  private String refusal = "";

  private JsonRows(FieldRow fields) {
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

  /** Reads the members of an object whose brace is read. */
  final Next object(JsonParser json, int row) {
    fields.begin(row);
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = json.currentName();
      JsonToken token = json.nextToken();
      int field = fields.field(name);
      if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
        json.skipChildren();
        if (field >= 0) {
          fields.refuse("%s: must be a value, not an object or an array".formatted(name));
        }
      } else if (field >= 0 && token != JsonToken.VALUE_NULL) {
        byte[] text = json.getString().getBytes(UTF_8);
        fields.put(field, text, 0, text.length);
      }
    }
    String refused = fields.end();
    return refused == null ? Next.ROW : refuse(refused);
  }

  private static String at(JacksonException wrong) {
    return "not JSON: %s".formatted(wrong.getOriginalMessage());
  }

  /** An object, an array of objects, or several of these. */
  static final class Document extends JsonRows {
    private final JsonParser json;
    private boolean inArray;

    Document(FieldRow fields, InputStream in) {
      super(fields);
      json = JsonMapper.shared().createParser(in);
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
              return object(json, row);
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
        throw new SourceException(at(e), e);
      }
    }
  }

  /** An object a line; a line that is none takes no other with it. */
  static final class Lines extends JsonRows {
    private final InputStream in;
    private final int maxLineBytes;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    Lines(FieldRow fields, InputStream in, int maxLineBytes) {
      super(fields);
      this.in = in;
      this.maxLineBytes = maxLineBytes;
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
          return parse(line.toByteArray(), row);
        }
        if (ended) {
          return Next.END;
        }
      }
    }

    private Next parse(byte[] text, int row) {
      try (JsonParser json = JsonMapper.shared().createParser(text)) {
        if (json.nextToken() != JsonToken.START_OBJECT) {
          return refuse("a row must be an object, not '%s'".formatted(json.getString()));
        }
        Next read = object(json, row);
        return json.nextToken() == null
            ? read
            : refuse("there is more than one object in the line");
      } catch (JacksonException e) {
        return refuse(at(e));
      }
    }
  }
}
