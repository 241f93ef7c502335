package dev.coppice.masking.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.Seed;
import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.PgArray.ElementLayout;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FormatTest {
    private static final HexFormat HEX = HexFormat.of();

    /** Bytes as heap_page_item_attrs() of Postgres 18 shows them, behind their header. */
    @Test
    void numerics_have_the_bytes_that_postgres_writes() {
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("0")))).isEqualTo("0080");
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("1")))).isEqualTo("00800100");
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("-1.5")))).isEqualTo("80a00100" + "8813");
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("12345678.90"))))
                .isEqualTo("0181" + "d204" + "2e16" + "2823");
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("0.0001")))).isEqualTo("7f82" + "0100");
        assertThat(HEX.formatHex(PgNumeric.encode(new BigDecimal("1e300").setScale(0))))
                .isEqualTo("0000" + "4b00" + "0100");
    }

    @Test
    void numerics_come_back_as_they_were_and_the_special_ones_are_none() {
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 5000; i++) {
            BigInteger unscaled = new BigInteger(random.nextInt(200), random);
            BigDecimal value = new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), random.nextInt(80));
            assertThat(PgNumeric.decode(PgNumeric.encode(value)))
                    .as(Seed.message(seed))
                    .isEqualTo(value);
            int capacity = 2 + random.nextInt(20);
            byte[] cut = PgNumeric.encode(value, capacity);
            assertThat(cut.length).as(Seed.message(seed)).isLessThanOrEqualTo(Math.max(capacity, 2));
            assertThat(PgNumeric.decode(cut)).as(Seed.message(seed)).isNotNull();
        }
        assertThat(PgNumeric.decode(HEX.parseHex("00c0"))).isNull();
        assertThat(PgNumeric.decode(HEX.parseHex("00d0"))).isNull();
        assertThatThrownBy(() -> PgNumeric.decode(new byte[1])).isInstanceOf(MalformedValueException.class);
    }

    @Test
    void pglz_packs_and_unpacks_anything_and_refuses_garbage() {
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 2000; i++) {
            byte[] source = new byte[random.nextInt(3000)];
            int alphabet = 1 + random.nextInt(20);
            for (int at = 0; at < source.length; at++) {
                source[at] = at > 40 && random.nextInt(4) != 0
                        ? source[at - 1 - random.nextInt(40)]
                        : (byte) random.nextInt(alphabet);
            }
            byte[] packed = Pglz.compress(source);
            assertThat(Pglz.decompress(packed, 0, packed.length, source.length))
                    .as(Seed.message(seed))
                    .isEqualTo(source);
            byte[] garbage = new byte[random.nextInt(100)];
            random.nextBytes(garbage);
            try {
                Pglz.decompress(garbage, 0, garbage.length, random.nextInt(1 << 20));
            } catch (MalformedValueException expected) {
                assertThat(expected).hasMessageContaining("compressed");
            }
        }
    }

    @Test
    void lz4_blocks_unpack_and_garbage_is_refused() {
        // "aaaaaaaaaaaaaaaabcdef": a literal, a match that overlaps itself, five literals.
        byte[] block = HEX.parseHex("1b6101005062636465 66".replace(" ", ""));
        assertThat(new String(Lz4Block.decompress(block, 0, block.length, 21), StandardCharsets.US_ASCII))
                .isEqualTo("aaaaaaaaaaaaaaaabcdef");
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 5000; i++) {
            byte[] garbage = new byte[random.nextInt(100)];
            random.nextBytes(garbage);
            try {
                Lz4Block.decompress(garbage, 0, garbage.length, random.nextInt(1 << 16));
            } catch (MalformedValueException expected) {
                assertThat(expected).as(Seed.message(seed)).hasMessageContaining("compressed");
            }
        }
    }

    /** {"a": [1, "b", null], "bb": true} as Postgres stores it. */
    @Test
    void jsonb_has_the_bytes_that_postgres_writes() {
        JsonObject value = new JsonObject(List.of(
                new Member(utf8("a"), new JsonArray(List.of(number("1"), new JsonString(utf8("b")), JsonLiteral.NULL))),
                new Member(utf8("bb"), JsonLiteral.TRUE)));
        String expected = "02000020" + "01000080" + "02000000" + "1a000050" + "00000030" + "616262" + "00" + "03000040"
                + "08000090" + "01000000" + "00000040" + "20000000" + "00800100" + "62";
        assertThat(HEX.formatHex(Jsonb.encode(value))).isEqualTo(expected);
        assertThat(Jsonb.encode(Jsonb.decode(HEX.parseHex(expected)))).isEqualTo(HEX.parseHex(expected));
    }

    @Test
    void jsonb_comes_back_and_damage_is_refused() {
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 500; i++) {
            byte[] payload = Jsonb.encode(json(random, 0));
            assertThat(Jsonb.encode(Jsonb.decode(payload)))
                    .as(Seed.message(seed))
                    .isEqualTo(payload);
            for (int n = 0; n < 20; n++) {
                byte[] damaged = Arrays.copyOf(payload, random.nextInt(payload.length) + 1);
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
                try {
                    Jsonb.decode(damaged);
                } catch (MalformedValueException expected) {
                    assertThat(expected).as(Seed.message(seed)).hasMessageNotContaining("canary");
                }
            }
        }
    }

    private static JsonValue json(Random random, int depth) {
        return switch (random.nextInt(depth > 3 ? 4 : 6)) {
            case 0 -> new JsonString(utf8("canary".repeat(random.nextInt(4))));
            case 1 -> number(Integer.toString(random.nextInt()));
            case 2 ->
                List.of(JsonLiteral.TRUE, JsonLiteral.FALSE, JsonLiteral.NULL).get(random.nextInt(3));
            case 3 -> number("-0.00" + random.nextInt(1000));
            case 4 -> {
                List<JsonValue> elements = new ArrayList<>();
                for (int i = random.nextInt(70); i > 0; i--) {
                    elements.add(json(random, depth + 1));
                }
                yield new JsonArray(elements);
            }
            default -> {
                List<Member> members = new ArrayList<>();
                for (int i = 0; i < random.nextInt(40); i++) {
                    members.add(new Member(utf8("k" + (char) ('A' + i)), json(random, depth + 1)));
                }
                yield new JsonObject(members);
            }
        };
    }

    private static JsonNumber number(String text) {
        return new JsonNumber(PgNumeric.encode(new BigDecimal(text)));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** {1, NULL, 3}::int4[] as Postgres stores it. */
    @Test
    void arrays_have_the_bytes_that_postgres_writes_and_come_back() {
        byte[] payload = HEX.parseHex("01000000" + "20000000" + "17000000" + "03000000" + "01000000" + "05"
                + "00000000000000" + "01000000" + "03000000");
        ElementLayout int4 = new ElementLayout(4, 4);
        PgArray array = PgArray.decode(payload, int4);
        assertThat(array.elements()).hasSize(3);
        assertThat(array.elements().get(1)).isNull();
        assertThat(array.encode(int4)).isEqualTo(payload);
        ElementLayout text = new ElementLayout(-1, 4);
        byte[] empty = PgArray.empty(25);
        assertThat(PgArray.decode(empty, text).encode(text)).isEqualTo(empty);
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 5000; i++) {
            byte[] garbage = payload.clone();
            garbage[random.nextInt(garbage.length)] = (byte) random.nextInt();
            try {
                PgArray.decode(garbage, random.nextBoolean() ? int4 : text);
            } catch (MalformedValueException expected) {
                assertThat(expected).as(Seed.message(seed)).isNotNull();
            }
        }
    }

    @Test
    void the_checksum_of_a_page_depends_on_its_block_and_not_on_its_checksum_field() {
        byte[] page = new byte[8192];
        Arrays.fill(page, (byte) 1);
        assertThat((short) PageChecksum.of(page, 1)).isEqualTo((short) 1176);
        page[8] = 77;
        assertThat((short) PageChecksum.of(page, 1)).isEqualTo((short) 1176);
        assertThat(PageChecksum.of(page, 2)).isNotEqualTo(PageChecksum.of(page, 1));
    }

    @Test
    void varlena_headers_tell_form_and_size_and_lies_are_refused() {
        byte[] payload = utf8("canary");
        byte[] packed = Varlena.shortForm(payload);
        assertThat(HEX.formatHex(packed)).isEqualTo("0f63616e617279");
        assertThat(Varlena.payload(packed, 0, Varlena.size(packed, 0, packed.length)))
                .isEqualTo(payload);
        byte[] plain = Varlena.plainForm(payload);
        assertThat(HEX.formatHex(plain)).isEqualTo("2800000063616e617279");
        assertThat(Varlena.payload(plain, 0, Varlena.size(plain, 0, plain.length)))
                .isEqualTo(payload);
        byte[] compressed = Varlena.compressedForm(utf8("canary".repeat(100)));
        assertThat(compressed.length).isLessThan(40);
        assertThat(Varlena.payload(compressed, 0, Varlena.size(compressed, 0, compressed.length)))
                .isEqualTo(utf8("canary".repeat(100)));
        assertThatThrownBy(() -> Varlena.size(plain, 0, plain.length - 1)).isInstanceOf(MalformedValueException.class);
        assertThatThrownBy(() -> Varlena.size(new byte[] {1, 3, 0, 0}, 0, 4))
                .isInstanceOf(MalformedValueException.class);
        byte[] lie = Varlena.compressedForm(payload);
        LittleEndian.put32(lie, 4, 0x3FFF_FFFF);
        assertThatThrownBy(() -> Varlena.payload(lie, 0, lie.length)).hasMessageContaining("claim");
    }
}
