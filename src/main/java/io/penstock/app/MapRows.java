package io.penstock.app;

import io.penstock.ingest.codec.ObjectRow;
import io.penstock.ingest.codec.UnlabelledRows;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Rows that Java code gives by the names of their fields: as the objects of JSON that they are written as. */
final class MapRows implements UnlabelledRows {
  private final ObjectRow fields;
  private final Iterator<? extends Map<String, ?>> rows;
  private String refusal = "";

  MapRows(ObjectRow fields, List<? extends Map<String, ?>> rows) {
    this.fields = fields;
    this.rows = rows.iterator();
  }

  @Override
  public Next next(int row) {
    if (!rows.hasNext()) {
      return Next.END;
    }
    String refused = decode(rows.next(), row);
    refusal = refused == null ? "" : refused;
    return refused == null ? Next.ROW : Next.REFUSED;
  }

  private @Nullable String decode(Map<String, ?> values, int row) {
    try {
      byte[] json = JsonMapper.shared().writeValueAsBytes(values);
      return fields.decode(json, 0, json.length, row);
    } catch (JacksonException e) {
      return "cannot be written as JSON: %s".formatted(e.getOriginalMessage());
    }
  }

  @Override
  public String refusal() {
    return refusal;
  }
}
