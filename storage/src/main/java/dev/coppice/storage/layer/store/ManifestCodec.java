package dev.coppice.storage.layer.store;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.index.Damage;
import dev.coppice.storage.wal.Moment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32C;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A manifest's text form: {@code {"crc32c":"xxxxxxxx","manifest":{...}}} and a line end. The checksum, 8 hexadecimal
 * digits, is of the bytes of the inner object. Sequences are 16 hexadecimal digits, LSNs as Postgres writes them, times
 * ISO 8601. {@code damage} is there only when something was lost.
 */
public final class ManifestCodec {
    private static final int FORMAT = 1;
    private static final String HEAD = "{\"crc32c\":\"";
    private static final String MIDDLE = "\",\"manifest\":";
    private static final String TAIL = "}\n";
    private static final int CRC_DIGITS = 8;
    private static final int BODY_AT = HEAD.length() + CRC_DIGITS + MIDDLE.length();

    private static final Set<String> FIELDS =
            Set.of("format", "timeline", "version", "flushed", "oldest", "horizon", "layers", "moments", "damage");
    private static final Set<String> LAYER_FIELDS = Set.of(
            "name",
            "kind",
            "firstSequence",
            "lastSequence",
            "firstPath",
            "lastPath",
            "minStamp",
            "maxStamp",
            "bytes",
            "entries",
            "pages",
            "checksum");

    private static final Set<String> DAMAGE_FIELDS =
            Set.of("path", "firstBlock", "endBlock", "sequence", "from", "pastOnly", "what");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ManifestCodec() {}

    /** The bytes to store. */
    public static byte[] encode(Manifest manifest) {
        ObjectNode node = JSON.createObjectNode();
        node.put("format", FORMAT);
        node.put("timeline", manifest.timeline().value());
        node.put("version", manifest.version());
        node.putObject("flushed")
                .put("epoch", manifest.flushed().epoch())
                .put("offset", manifest.flushed().offset())
                .put("stamp", manifest.flushed().stamp().toString());
        node.put("oldest", manifest.oldest().toString());
        node.put("horizon", manifest.horizon().toString());
        ArrayNode layers = node.putArray("layers");
        for (LayerDescriptor layer : manifest.layers()) {
            layers.addObject()
                    .put("name", layer.name())
                    .put("kind", layer.kind().name().toLowerCase(Locale.ROOT))
                    .put("firstSequence", hex(layer.firstSequence(), 16))
                    .put("lastSequence", hex(layer.lastSequence(), 16))
                    .put("firstPath", layer.firstPath())
                    .put("lastPath", layer.lastPath())
                    .put("minStamp", new Lsn(layer.minStamp()).toString())
                    .put("maxStamp", new Lsn(layer.maxStamp()).toString())
                    .put("bytes", layer.bytes())
                    .put("entries", layer.entries())
                    .put("pages", layer.pages())
                    .put("checksum", hex(layer.checksum() & 0xFFFF_FFFFL, CRC_DIGITS));
        }
        ArrayNode moments = node.putArray("moments");
        for (Moment moment : manifest.moments()) {
            moments.addArray().add(moment.time().toString()).add(moment.lsn().toString());
        }
        if (!manifest.damage().isEmpty()) {
            ArrayNode damage = node.putArray("damage");
            for (Damage lost : manifest.damage()) {
                damage.addObject()
                        .put("path", lost.path())
                        .put("firstBlock", lost.firstBlock())
                        .put("endBlock", lost.endBlock())
                        .put("sequence", hex(lost.sequence(), 16))
                        .put("from", new Lsn(lost.from()).toString())
                        .put("pastOnly", lost.pastOnly() ? 1 : 0)
                        .put("what", lost.what());
            }
        }
        byte[] body = node.toString().getBytes(StandardCharsets.UTF_8);
        String head = HEAD + hex(checksum(body, 0, body.length), CRC_DIGITS) + MIDDLE;
        byte[] content = new byte[BODY_AT + body.length + TAIL.length()];
        System.arraycopy(head.getBytes(StandardCharsets.US_ASCII), 0, content, 0, BODY_AT);
        System.arraycopy(body, 0, content, BODY_AT, body.length);
        System.arraycopy(TAIL.getBytes(StandardCharsets.US_ASCII), 0, content, BODY_AT + body.length, TAIL.length());
        return content;
    }

    /**
     * Reads what {@link #encode} wrote, strictly.
     *
     * @param source names the manifest in errors
     * @throws ChecksumMismatchException when the bytes are not what was written
     * @throws StorageException when they are of an unknown format
     */
    public static Manifest decode(byte[] content, String source) {
        int end = content.length - TAIL.length();
        String head = end < BODY_AT ? "" : new String(content, 0, BODY_AT, StandardCharsets.ISO_8859_1);
        if (!head.startsWith(HEAD)
                || !head.endsWith(MIDDLE)
                || !new String(content, end, TAIL.length(), StandardCharsets.ISO_8859_1).equals(TAIL)
                || !head.substring(HEAD.length(), HEAD.length() + CRC_DIGITS)
                        .equals(hex(checksum(content, BODY_AT, end - BODY_AT), CRC_DIGITS))) {
            throw new ChecksumMismatchException(source + " is damaged: its checksum does not match its "
                    + content.length + " bytes; restore it from a backup");
        }
        try {
            return read(JSON.readTree(content, BODY_AT, end - BODY_AT), source);
        } catch (JacksonException | IllegalArgumentException | ArithmeticException | java.time.DateTimeException e) {
            throw new StorageException("cannot read " + source + ": " + e.getMessage(), e);
        }
    }

    private static Manifest read(JsonNode node, String source) {
        Fields fields = new Fields(node, source);
        long format = fields.number("format");
        if (format != FORMAT) {
            throw new StorageException(source + ": format " + format + " is not known; this version reads " + FORMAT);
        }
        fields.allow(FIELDS);
        Fields flushed = fields.object("flushed");
        flushed.allow(Set.of("epoch", "offset", "stamp"));
        List<LayerDescriptor> layers = new ArrayList<>();
        for (JsonNode layer : fields.array("layers")) {
            layers.add(layer(new Fields(layer, source)));
        }
        List<Moment> moments = new ArrayList<>();
        for (JsonNode moment : fields.array("moments")) {
            if (moment.size() != 2
                    || !moment.path(0).isString()
                    || !moment.path(1).isString()) {
                throw new StorageException(source + ": a moment is no pair of texts: " + moment);
            }
            moments.add(new Moment(
                    Instant.parse(moment.path(0).stringValue()),
                    Lsn.parse(moment.path(1).stringValue())));
        }
        return new Manifest(
                new TimelineId(fields.text("timeline")),
                fields.number("version"),
                new FlushedPosition(
                        Math.toIntExact(flushed.number("epoch")), flushed.number("offset"), flushed.lsn("stamp")),
                fields.lsn("oldest"),
                fields.lsn("horizon"),
                layers,
                moments,
                node.has("damage") ? damage(fields, source) : List.of());
    }

    private static List<Damage> damage(Fields manifest, String source) {
        List<Damage> damage = new ArrayList<>();
        for (JsonNode one : manifest.array("damage")) {
            Fields fields = new Fields(one, source);
            fields.allow(DAMAGE_FIELDS);
            damage.add(new Damage(
                    fields.text("path"),
                    fields.number("firstBlock"),
                    fields.number("endBlock"),
                    Long.parseUnsignedLong(fields.text("sequence"), 16),
                    fields.lsn("from").value(),
                    fields.number("pastOnly") != 0,
                    fields.text("what")));
        }
        return damage;
    }

    private static LayerDescriptor layer(Fields fields) {
        fields.allow(LAYER_FIELDS);
        return new LayerDescriptor(
                fields.text("name"),
                LayerKind.valueOf(fields.text("kind").toUpperCase(Locale.ROOT)),
                Long.parseUnsignedLong(fields.text("firstSequence"), 16),
                Long.parseUnsignedLong(fields.text("lastSequence"), 16),
                fields.text("firstPath"),
                fields.text("lastPath"),
                fields.lsn("minStamp").value(),
                fields.lsn("maxStamp").value(),
                fields.number("bytes"),
                fields.number("entries"),
                fields.number("pages"),
                Integer.parseUnsignedInt(fields.text("checksum"), 16));
    }

    private static long checksum(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return crc.getValue();
    }

    private static String hex(long value, int digits) {
        String text = Long.toHexString(value);
        return "0".repeat(digits - text.length()) + text;
    }

    /** One object of the text; says what is wrong with it. */
    private record Fields(JsonNode node, String source) {
        void allow(Set<String> known) {
            for (String name : node.propertyNames()) {
                if (!known.contains(name)) {
                    throw new StorageException(source + ": \"" + name + "\" is not known");
                }
            }
        }

        String text(String name) {
            JsonNode value = node.path(name);
            if (!value.isString()) {
                throw new StorageException(source + ": \"" + name + "\" is missing or no text");
            }
            return value.stringValue();
        }

        Lsn lsn(String name) {
            return Lsn.parse(text(name));
        }

        /** At least 0. */
        long number(String name) {
            JsonNode value = node.path(name);
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                throw new StorageException(source + ": \"" + name + "\" is missing or no whole number");
            }
            return value.longValue();
        }

        Fields object(String name) {
            JsonNode value = node.path(name);
            if (!value.isObject()) {
                throw new StorageException(source + ": \"" + name + "\" is missing or no object");
            }
            return new Fields(value, source);
        }

        JsonNode array(String name) {
            JsonNode value = node.path(name);
            if (!value.isArray()) {
                throw new StorageException(source + ": \"" + name + "\" is missing or no list");
            }
            return value;
        }
    }
}
