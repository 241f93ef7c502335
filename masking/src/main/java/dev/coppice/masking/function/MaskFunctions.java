package dev.coppice.masking.function;

import dev.coppice.masking.function.FunctionCall.Argument;
import dev.coppice.masking.function.FunctionCall.Nested;
import dev.coppice.masking.function.FunctionCall.Text;
import dev.coppice.masking.function.Vocabulary.Choice;
import dev.coppice.masking.function.binary.BytesFunction;
import dev.coppice.masking.function.binary.BytesMasks;
import dev.coppice.masking.function.json.JsonLeaves;
import dev.coppice.masking.function.json.JsonPath;
import dev.coppice.masking.function.json.JsonRule;
import dev.coppice.masking.function.json.JsonTextMask;
import dev.coppice.masking.function.json.JsonbMask;
import dev.coppice.masking.function.number.FloatMask;
import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.function.number.IntegerPseudonym;
import dev.coppice.masking.function.number.NumberFunction;
import dev.coppice.masking.function.number.NumericMask;
import dev.coppice.masking.function.number.SimpleMasks;
import dev.coppice.masking.function.text.TextFunction;
import dev.coppice.masking.function.text.TextMask;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.function.value.ArrayMask;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.DataType.Array;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Range;
import dev.coppice.masking.layout.DataType.Scalar;
import dev.coppice.masking.layout.DataType.Unsupported;
import dev.coppice.masking.layout.ScalarType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Binds function calls to columns, or says why a function cannot mask a column. */
public final class MaskFunctions {
    /** Decimals of drawn numbers where the type does not say. */
    private static final int DRAWN_SCALE = 6;

    private MaskFunctions() {}

    /**
     * Binds a call to a column.
     *
     * @throws RefusedFunctionException with the reason, if the function does not exist, its arguments are wrong or it cannot mask the
     *     type
     */
    public static BoundFunction bind(FunctionCall call, ColumnTarget target) {
        FunctionCall own = FunctionNames.withDefaults(call.without(target.column()));
        if (isUniqueEmail(own)) {
            return bind(FunctionCall.parse("pseudonym_email()"), target);
        }
        String name = FunctionNames.canonical(own.name());
        if (name.equals("null")
                || name.equals("value") && own.arguments().equals(List.of(new FunctionCall.Nothing()))) {
            return new BoundFunction("null()", Uniqueness.LOST, Literals.nothing(target.type()));
        }
        return switch (name) {
            case "blank" -> new BoundFunction("blank()", Uniqueness.LOST, blank(target));
            case "value" -> {
                own.allow(1);
                ValueMask mask = Literals.constant(target, own.text(0, "the constant"));
                yield new BoundFunction(own.toString(), Uniqueness.LOST, mask);
            }
            default -> {
                Bound bound = bind(name, own, target);
                yield new BoundFunction(own.toString(), bound.uniqueness(), bound.mask());
            }
        };
    }

    private record Bound(Uniqueness uniqueness, ValueMask mask) {}

    /** {@code concat(dummy_uuidv4(), '@example.com')}: what Neon's console calls a random unique e-mail. */
    private static boolean isUniqueEmail(FunctionCall call) {
        List<Argument> arguments = call.arguments();
        return call.name().equals("concat")
                && arguments.size() == 2
                && arguments.getFirst() instanceof Nested(FunctionCall inner)
                && FunctionNames.canonical(inner.name()).equals("dummy_uuid")
                && arguments.getLast() instanceof Text(String domain)
                && domain.startsWith("@");
    }

    /** Blanks a value whatever it is; for policies that mask what nobody declared. */
    static ValueMask blank(ColumnTarget target) {
        ValueMask mask = Literals.blankMask(target.type());
        if (mask == null) {
            throw refused("blank", target, List.of("null"));
        }
        return mask;
    }

    private static Bound bind(String name, FunctionCall call, ColumnTarget target) {
        return switch (target.type()) {
            case Scalar(ScalarType type) -> scalar(name, call, target, type);
            case Enumeration type
            when name.equals("random_in_enum") && !type.labels().isEmpty() ->
                new Bound(Uniqueness.LOST, new SimpleMasks.RandomLabel(type));
            case Enumeration ignored -> throw refused(name, target, List.of("random_in_enum"));
            case Array type -> {
                Bound element = bind(name, call, target.as(type.element()));
                yield new Bound(element.uniqueness(), new ArrayMask(type, element.mask()));
            }
            case Range type
            when name.equals("noise") && SimpleMasks.boundSize(type) > 0 ->
                new Bound(Uniqueness.NOT_GUARANTEED, rangeShift(call, type));
            case Range ignored -> throw refused(name, target, List.of("noise"));
            case Unsupported(String ignored, String reason) ->
                throw new RefusedFunctionException(target.column() + " of type "
                        + target.type().name() + " can only be masked with null(): " + reason);
        };
    }

    private static ValueMask rangeShift(FunctionCall call, Range type) {
        call.allow(1);
        boolean ofNumbers = type.subtype() instanceof Scalar(ScalarType scalar)
                && (scalar == ScalarType.INT4 || scalar == ScalarType.INT8);
        if (ofNumbers) {
            return new SimpleMasks.RangeShift(
                    type, SimpleMasks.boundSize(type), call.integer(0, "how far, like 100", 1, Integer.MAX_VALUE / 2));
        }
        long micros = TemporalFunctions.interval(call.text(0, "how far, like '30 days'"));
        boolean inDays = SimpleMasks.boundSize(type) == Integer.BYTES;
        return new SimpleMasks.RangeShift(
                type, SimpleMasks.boundSize(type), inDays ? micros / TemporalMask.MICROS_PER_DAY : micros);
    }

    private static Bound scalar(String name, FunctionCall call, ColumnTarget target, ScalarType type) {
        return switch (type.family()) {
            case TEXT -> {
                Choice<TextFunction> choice = chosen(Vocabulary.TEXT, name, call, target);
                yield new Bound(choice.uniqueness(), new TextMask(type, choice.function()));
            }
            case INTEGER -> integer(name, call, target, type);
            case NUMERIC -> {
                Choice<NumberFunction> choice =
                        chosen(Vocabulary.numbers(numericScale(target.typeModifier())), name, call, target);
                yield new Bound(choice.uniqueness(), NumericMask.of(target.typeModifier(), choice.function()));
            }
            case FLOAT -> {
                Choice<NumberFunction> choice = chosen(Vocabulary.numbers(DRAWN_SCALE), name, call, target);
                // Decimal digits are permuted, and two results may round to one binary number.
                Uniqueness uniqueness =
                        choice.uniqueness() == Uniqueness.PRESERVED ? Uniqueness.NOT_GUARANTEED : choice.uniqueness();
                yield new Bound(uniqueness, new FloatMask(type, choice.function()));
            }
            case DATE, TIME, TIMESTAMP -> {
                boolean ofDay = type.family() == ScalarType.Family.TIME;
                Choice<TemporalMask.TemporalFunction> choice =
                        chosen(ofDay ? Vocabulary.TIMES_OF_DAY : Vocabulary.TIMES, name, call, target);
                yield new Bound(choice.uniqueness(), new TemporalMask(type, choice.function()));
            }
            case INTERVAL -> {
                expect(name, target, "noise");
                yield new Bound(Uniqueness.NOT_GUARANTEED, new SimpleMasks.IntervalNoise(Vocabulary.noise(call)));
            }
            case BOOLEAN -> {
                expect(name, target, "random_bool");
                yield new Bound(Uniqueness.LOST, new SimpleMasks.RandomBoolean());
            }
            case UUID -> {
                expect(name, target, "pseudonym", "dummy_uuid", "hash");
                yield new Bound(Uniqueness.PRESERVED, new BytesMasks.Uuid());
            }
            case BINARY -> {
                expect(name, target, "pseudonym", "hash");
                yield new Bound(
                        Uniqueness.PRESERVED, new BytesMasks.Binary(BytesFunction.pseudonym("pseudonym of bytes")));
            }
            case NETWORK -> {
                expect(name, target, "pseudonym", "dummy_ipv4", "dummy_ipv6");
                boolean pseudonym = name.equals("pseudonym");
                yield new Bound(
                        pseudonym ? Uniqueness.PRESERVED : Uniqueness.NOT_GUARANTEED,
                        new BytesMasks.Network(type, pseudonym));
            }
            case MAC_ADDRESS -> macAddress(name, target, type);
            case BITS -> {
                expect(name, target, "pseudonym");
                yield new Bound(Uniqueness.PRESERVED, new BytesMasks.Bits());
            }
            case JSON, JSONB ->
                new Bound(
                        Uniqueness.NOT_GUARANTEED,
                        json(type, List.of(new PathCall(JsonPath.parse("$"), call)), target));
            case SINGLE_CHAR, XML, POINT, OPAQUE_FIXED, OPAQUE, TSVECTOR, HSTORE ->
                throw refused(name, target, List.of());
        };
    }

    private static Bound macAddress(String name, ColumnTarget target, ScalarType type) {
        expect(name, target, "pseudonym", "dummy_mac_address");
        return name.equals("pseudonym")
                ? new Bound(
                        Uniqueness.PRESERVED,
                        new BytesMasks.Plain(type.length(), BytesFunction.pseudonym("mac address")))
                : new Bound(
                        Uniqueness.NOT_GUARANTEED,
                        new BytesMasks.Plain(type.length(), BytesFunction.random("dummy_mac_address", (byte) 2)));
    }

    private static Bound integer(String name, FunctionCall call, ColumnTarget target, ScalarType type) {
        if (name.equals("pseudonym") && type != ScalarType.MONEY) {
            return new Bound(
                    Uniqueness.PRESERVED,
                    new IntegerMask(
                            type, new IntegerPseudonym(type, target.least(), target.greatest(), range(call, target))));
        }
        int scale = type == ScalarType.MONEY ? 2 : 0;
        Choice<NumberFunction> choice = chosen(Vocabulary.numbers(scale), name, call, target);
        return new Bound(choice.uniqueness(), IntegerMask.of(type, choice.function()));
    }

    private static IntegerPseudonym.@Nullable Range range(FunctionCall call, ColumnTarget target) {
        call.allow(2);
        if (!call.has(0)) {
            return null;
        }
        try {
            long first = call.number(0, "the least value").longValueExact();
            long last = call.number(1, "the greatest value").longValueExact();
            // The digit classes outside of the range need a number that is outside: the whole type would leave none.
            if (first >= target.least()
                    && first < last
                    && last <= target.greatest()
                    && first >= 0
                    && last < Long.MAX_VALUE) {
                return new IntegerPseudonym.Range(first, last);
            }
        } catch (ArithmeticException e) {
            throw new RefusedFunctionException(call + ": the limits must be whole numbers");
        }
        throw new RefusedFunctionException(call + ": the limits must be from 0 to " + target.greatest()
                + ", the greatest value of the narrowest column of the key, and the first below the second");
    }

    /** A function and where in a document it applies. */
    public record PathCall(JsonPath path, FunctionCall call) {}

    /**
     * Binds calls to paths of a json or jsonb column.
     *
     * @param calls in order; the first whose path leads to a value masks it
     * @throws RefusedFunctionException if the column is neither, or a function masks neither strings nor numbers
     */
    public static BoundFunction bindPaths(List<PathCall> calls, ColumnTarget target) {
        if (!(target.type() instanceof Scalar(ScalarType type))
                || type != ScalarType.JSON && type != ScalarType.JSONB) {
            throw new RefusedFunctionException("a path names a part of a json or jsonb document, and " + target.column()
                    + " is of type " + target.type().name());
        }
        StringBuilder description = new StringBuilder();
        calls.forEach(each -> description
                .append(description.isEmpty() ? "" : ", ")
                .append(each.path())
                .append(": ")
                .append(each.call()));
        return new BoundFunction(description.toString(), Uniqueness.LOST, json(type, calls, target));
    }

    private static ValueMask json(ScalarType type, Collection<PathCall> calls, ColumnTarget target) {
        List<JsonRule> rules = new ArrayList<>();
        for (PathCall each : calls) {
            rules.add(new JsonRule(each.path(), leaves(each.call().without(target.column()), target)));
        }
        return type == ScalarType.JSONB ? new JsonbMask(rules) : new JsonTextMask(rules);
    }

    private static JsonLeaves leaves(FunctionCall call, ColumnTarget target) {
        if (FunctionNames.canonical(call.name()).equals("blank")
                || FunctionNames.canonical(call.name()).equals("null")) {
            return new JsonLeaves(null, null);
        }
        ValueMask text = leaf(call, target.as(DataType.of(ScalarType.TEXT)));
        ValueMask number = leaf(call, target.as(DataType.of(ScalarType.NUMERIC)));
        if (text == null && number == null) {
            throw refused(call.name(), target, union(Vocabulary.TEXT, Vocabulary.numbers(0)));
        }
        return new JsonLeaves((TextMask) text, (NumericMask) number);
    }

    private static @Nullable ValueMask leaf(FunctionCall call, ColumnTarget target) {
        String name = FunctionNames.canonical(call.name());
        boolean isText = target.type().equals(DataType.of(ScalarType.TEXT));
        if (name.equals("value")) {
            boolean quoted = call.has(0) && call.arguments().getFirst() instanceof Text;
            return isText == quoted ? Literals.constant(target, call.text(0, "the constant")) : null;
        }
        Map<String, ?> known =
                isText ? Vocabulary.TEXT.entries() : Vocabulary.numbers(0).entries();
        return known.containsKey(name) ? bind(name, call, target).mask() : null;
    }

    private static Collection<String> union(Vocabulary<?> first, Vocabulary<?> second) {
        Set<String> names = new TreeSet<>(first.entries().keySet());
        names.addAll(second.entries().keySet());
        return names;
    }

    private static int numericScale(int typeModifier) {
        return typeModifier < 4 ? DRAWN_SCALE : Math.max(0, (typeModifier - 4 & 0x7FF ^ 0x400) - 0x400);
    }

    private static <F> Choice<F> chosen(Vocabulary<F> vocabulary, String name, FunctionCall call, ColumnTarget target) {
        Choice<F> choice = vocabulary.choose(name, call);
        if (choice == null) {
            throw refused(name, target, vocabulary.entries().keySet());
        }
        return choice;
    }

    private static void expect(String name, ColumnTarget target, String... known) {
        if (!List.of(known).contains(name)) {
            throw refused(name, target, List.of(known));
        }
    }

    private static RefusedFunctionException refused(String name, ColumnTarget target, Collection<String> possible) {
        Set<String> all = new TreeSet<>(possible);
        all.add("null");
        if (Literals.blank(target.type()) != null) {
            all.add("blank");
        }
        String instead = FunctionNames.elsewhere().get(name);
        String why;
        if (instead != null) {
            why = name + "() needs more than the value that it masks: " + instead;
        } else if (FunctionNames.all().contains(name)) {
            why = name + "() cannot mask " + target.column() + " of type "
                    + target.type().name();
        } else {
            why = "there is no function " + name + "() here for " + target.column() + " of type "
                    + target.type().name();
        }
        return new RefusedFunctionException(why + ". What can: " + String.join(", ", all));
    }
}
