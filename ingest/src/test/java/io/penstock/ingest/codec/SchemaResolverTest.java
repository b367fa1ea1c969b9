package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FieldConfig;
import io.penstock.config.FieldConfig.Missing;
import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Rules;
import io.penstock.pipeline.FieldSelector;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SchemaResolverTest {
  private static final LabelConfig LABEL =
      new LabelConfig("y", LabelType.CLASS, 2, List.of("DOWN", "UP"));

  @Test
  void shouldExpandPatternsInTheOrderOfTheHeader() {
    SchemaConfig schema =
        schema("b", FieldType.NUMBER, "Area*", FieldType.FLAG, "a", FieldType.CATEGORY);
    BlockSchema resolved =
        SchemaResolver.resolve(schema, List.of("a", "Area2", "b", "Area1", "y", "Are"), c -> false);
    assertThat(resolved.columns())
        .containsExactly(
            new Column("b", Kind.NUMBER, false),
            new Column("Area2", Kind.FLAG, false),
            new Column("Area1", Kind.FLAG, false),
            new Column("a", Kind.CATEGORY, false));
    assertThat(resolved.label().classNames()).containsExactly("DOWN", "UP");
  }

  @Test
  void shouldLeaveLabelAndNamedFieldsOutOfPatterns() {
    BlockSchema resolved =
        SchemaResolver.resolve(
            schema("*", FieldType.NUMBER, "c", FieldType.CATEGORY),
            List.of("y", "c", "w", "x"),
            c -> false);
    assertThat(resolved.columns()).extracting(Column::name).containsExactly("w", "x", "c");
  }

  @Test
  void shouldTakeAPatternsOtherCharactersLiterally() {
    BlockSchema resolved =
        SchemaResolver.resolve(
            schema("a.\\E*(", FieldType.NUMBER), List.of("a.\\E1(", "abc(", "y"), c -> false);
    assertThat(resolved.columns()).extracting(Column::name).containsExactly("a.\\E1(");
  }

  @Test
  void shouldMarkColumnsThatAnOperatorImputes() {
    BlockSchema resolved =
        SchemaResolver.resolve(
            schema("a", FieldType.NUMBER, "b", FieldType.NUMBER),
            List.of(),
            c -> c.name().equals("b"));
    assertThat(resolved.columns()).extracting(Column::nullable).containsExactly(false, true);
  }

  @Test
  void shouldTakeClassesWithoutNamesAsIntegers() {
    SchemaConfig schema =
        new SchemaConfig(
            new LabelConfig("y", LabelType.CLASS, 2, List.of("", "")),
            "",
            "",
            Map.of("a", FieldConfig.of(FieldType.NUMBER)));
    BlockSchema resolved = SchemaResolver.resolve(schema, List.of(), c -> false);
    assertThat(resolved.label().classNames()).isEmpty();
    assertThat(resolved.label().classes()).isEqualTo(2);
  }

  @Test
  void shouldNameThePatternThatMatchesNothing() {
    assertThatThrownBy(
            () ->
                SchemaResolver.resolve(
                    schema("Soil*", FieldType.FLAG), List.of("a", "y"), c -> false))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("'Soil*'")
        .hasMessageContaining("a, y");
  }

  @Test
  void shouldNameTheFieldThatTheHeaderLacks() {
    assertThatThrownBy(
            () ->
                SchemaResolver.resolve(
                    schema("Slope", FieldType.NUMBER), List.of("Aspect", "y"), c -> false))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("'Slope'")
        .hasMessageContaining("Aspect, y");
  }

  @Test
  void shouldRefuseAHeaderThatNamesAColumnTwice() {
    assertThatThrownBy(
            () ->
                SchemaResolver.resolve(
                    schema("a", FieldType.NUMBER), List.of("a", "b", "b", "y"), c -> false))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("'b' is named twice");
  }

  @Test
  void shouldMakeColumnsOfAVectorsElementsWithTheRulesOfTheField() {
    FieldConfig vector = new FieldConfig(FieldType.VECTOR, 2, -1.0, null, Missing.AUTO, "0");
    FieldConfig strict = new FieldConfig(FieldType.NUMBER, null, null, 5.5, Missing.REJECT, null);
    Map<String, FieldConfig> fields = new LinkedHashMap<>();
    fields.put("*", FieldConfig.of(FieldType.NUMBER));
    fields.put("e", vector);
    fields.put("b", strict);
    SchemaConfig schema =
        new SchemaConfig(new LabelConfig("y", LabelType.NUMBER, 0, List.of()), "", "", fields);

    List<Column> columns =
        SchemaResolver.resolve(schema, List.of("e[0]", "a", "e[1]", "b", "y"), c -> true).columns();

    Rules rules = new Rules("e", -1, Float.POSITIVE_INFINITY, "0");
    assertThat(columns)
        .containsExactly(
            new Column("a", Kind.NUMBER, true),
            new Column("e[0]", Kind.NUMBER, false, rules),
            new Column("e[1]", Kind.NUMBER, false, rules),
            new Column("b", Kind.NUMBER, false, new Rules("", Float.NEGATIVE_INFINITY, 5.5f, "")));
    assertThat(FieldSelector.selects(List.of("vector"), columns.get(1))).isTrue();
    assertThat(FieldSelector.selects(List.of("e"), columns.get(2))).isTrue();
    assertThat(FieldSelector.selects(List.of("number", "flag"), columns.get(2))).isFalse();
    assertThat(FieldSelector.selects(List.of("e", "vector"), columns.get(0))).isFalse();
    assertThat(FieldSelector.selects(List.of("number"), columns.get(0))).isTrue();
  }

  private static SchemaConfig schema(Object... fieldsAndTypes) {
    Map<String, FieldConfig> fields = new LinkedHashMap<>();
    for (int i = 0; i < fieldsAndTypes.length; i += 2) {
      fields.put((String) fieldsAndTypes[i], FieldConfig.of((FieldType) fieldsAndTypes[i + 1]));
    }
    return new SchemaConfig(LABEL, "", "", fields);
  }
}
