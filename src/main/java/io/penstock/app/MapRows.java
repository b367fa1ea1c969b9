package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.ingest.codec.FieldRow;
import io.penstock.ingest.codec.UnlabelledRows;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Rows that Java code gives by the names of their fields. */
final class MapRows implements UnlabelledRows {
  private final FieldRow fields;
  private final Iterator<? extends Map<String, ?>> rows;
  private String refusal = "";

  MapRows(FieldRow fields, List<? extends Map<String, ?>> rows) {
    this.fields = fields;
    this.rows = rows.iterator();
  }

  @Override
  public Next next(int row) {
    if (!rows.hasNext()) {
      return Next.END;
    }
    fields.begin(row);
    for (Map.Entry<String, ?> value : rows.next().entrySet()) {
      put(value.getKey(), value.getValue());
    }
    String refused = fields.end();
    refusal = refused == null ? "" : refused;
    return refused == null ? Next.ROW : Next.REFUSED;
  }

  private void put(String name, Object value) {
    int field = fields.field(name);
    if (field < 0) {
      return;
    }
    switch (value) {
      case null -> {}
      case Number _, CharSequence _, Boolean _ -> {
        byte[] text = value.toString().getBytes(UTF_8);
        fields.put(field, text, 0, text.length);
      }
      default ->
          fields.refuse(
              "%s: must be a number, a text or a truth value, not a %s"
                  .formatted(name, value.getClass().getName()));
    }
  }

  @Override
  public String refusal() {
    return refusal;
  }
}
