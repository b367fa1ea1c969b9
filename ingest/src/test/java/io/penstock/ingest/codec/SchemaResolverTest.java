package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.SchemaConfig;
import io.penstock.config.SchemaConfig.FieldType;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
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
            Map.of("a", FieldType.NUMBER));
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

  private static SchemaConfig schema(Object... fieldsAndTypes) {
    Map<String, FieldType> fields = new LinkedHashMap<>();
    for (int i = 0; i < fieldsAndTypes.length; i += 2) {
      fields.put((String) fieldsAndTypes[i], (FieldType) fieldsAndTypes[i + 1]);
    }
    return new SchemaConfig(LABEL, "", "", fields);
  }
}
