package dev.coppice.masking.function;

import dev.coppice.masking.function.number.NumberFunction;
import dev.coppice.masking.function.number.NumberFunctions;
import dev.coppice.masking.function.text.CheckedNumber;
import dev.coppice.masking.function.text.Dictionary;
import dev.coppice.masking.function.text.Email;
import dev.coppice.masking.function.text.Invention;
import dev.coppice.masking.function.text.SmallLists;
import dev.coppice.masking.function.text.TextFunction;
import dev.coppice.masking.function.text.TextFunctions;
import dev.coppice.masking.function.text.TextPseudonym;
import dev.coppice.masking.function.time.Interval;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Functions by name, for one kind of value.
 *
 * @param entries by canonical name
 */
record Vocabulary<F>(Map<String, Entry<F>> entries) {
    /** What a call of one function becomes. */
    record Entry<F>(Uniqueness uniqueness, Function<FunctionCall, F> maker) {}

    /** A function for a call, with what it does to distinct values. */
    record Choice<F>(Uniqueness uniqueness, F function) {}

    @Nullable
    Choice<F> choose(String name, FunctionCall call) {
        Entry<F> entry = entries.get(name);
        return entry == null
                ? null
                : new Choice<>(entry.uniqueness(), entry.maker().apply(call));
    }

    static final Vocabulary<TextFunction> TEXT = text();

    private static Vocabulary<TextFunction> text() {
        Map<String, Entry<TextFunction>> map = new TreeMap<>();
        map.put("pseudonym", plain(Uniqueness.PRESERVED, new TextPseudonym("pseudonym of a text")));
        map.put("pseudonym_email", new Entry<>(Uniqueness.PRESERVED, Vocabulary::pseudonymEmail));
        map.put("partial", new Entry<>(Uniqueness.LOST, Vocabulary::partial));
        map.put("partial_email", plain(Uniqueness.LOST, new TextFunctions.PartialEmail()));
        map.put("hash", new Entry<>(Uniqueness.NOT_GUARANTEED, Vocabulary::hash));
        map.put("random_string", new Entry<>(Uniqueness.NOT_GUARANTEED, Vocabulary::randomString));
        map.put("random_with_format", new Entry<>(Uniqueness.NOT_GUARANTEED, Vocabulary::withFormat));
        map.put("random_in", new Entry<>(Uniqueness.LOST, Vocabulary::oneOf));
        map.put("lorem_ipsum", plain(Uniqueness.LOST, new TextFunctions.Lorem()));
        map.put("dummy_credit_card_number", plain(Uniqueness.PRESERVED, new CheckedNumber.CreditCard()));
        map.put("dummy_iban", plain(Uniqueness.PRESERVED, new CheckedNumber.Iban()));
        map.put("dummy_phone_number", plain(Uniqueness.PRESERVED, new CheckedNumber.Phone()));
        map.put("dummy_zip_code", plain(Uniqueness.PRESERVED, new TextPseudonym("dummy_zip_code")));
        map.put(
                "dummy_email",
                plain(Uniqueness.NOT_GUARANTEED, new Email.Invented("dummy_email", Dictionary.RESERVED_DOMAINS)));
        map.put(
                "dummy_free_email",
                plain(Uniqueness.NOT_GUARANTEED, new Email.Invented("dummy_free_email", Dictionary.FREE_PROVIDERS)));
        Invention.Recipe first = Invention.from(Dictionary.FIRST_NAMES);
        Invention.Recipe last = Invention.from(Dictionary.LAST_NAMES);
        Invention.Recipe company =
                Invention.pair(Invention.from(Dictionary.COMPANY_WORDS), Invention.from(Dictionary.COMPANY_SUFFIXES));
        invention(map, "dummy_first_name", first);
        invention(map, "dummy_last_name", last);
        invention(map, "dummy_name", Invention.pair(first, last));
        invention(map, "dummy_user_name", Invention::userName);
        invention(map, "dummy_company_name", company);
        invention(map, "dummy_street_name", Invention.from(Dictionary.STREETS));
        invention(map, "dummy_street_address", Invention::street);
        invention(map, "dummy_city", Invention.from(Dictionary.CITIES));
        invention(map, "dummy_country_name", Invention.from(Dictionary.COUNTRIES));
        invention(map, "dummy_country_code", Invention.from(Dictionary.COUNTRY_CODES));
        invention(map, "dummy_profession", Invention.from(Dictionary.JOBS));
        invention(map, "dummy_word", Invention.from(Dictionary.WORDS));
        invention(map, "dummy_words", Invention::words);
        invention(map, "dummy_ipv4", Invention::ipv4);
        invention(map, "dummy_ipv6", Invention::ipv6);
        invention(map, "dummy_mac_address", Invention::mac);
        invention(map, "dummy_uuid", Invention::uuid);
        invention(
                map, "dummy_name_with_title", Invention.pair(SmallLists.recipe("title"), Invention.pair(first, last)));
        SmallLists.NAMES.forEach(name -> invention(map, "dummy_" + name, SmallLists.recipe(name)));
        return new Vocabulary<>(map);
    }

    private static <F> Entry<F> plain(Uniqueness uniqueness, F function) {
        return new Entry<>(uniqueness, call -> {
            // A locale, a salt or a range of words, which PostgreSQL Anonymizer's namesakes take, changes nothing here.
            call.allow(2);
            return function;
        });
    }

    private static void invention(Map<String, Entry<TextFunction>> map, String name, Invention.Recipe recipe) {
        map.put(name, plain(Uniqueness.NOT_GUARANTEED, new Invention(name, recipe)));
    }

    private static TextFunction pseudonymEmail(FunctionCall call) {
        call.allow(1);
        return switch (call.text(0, "which parts", "all")) {
            case "all" -> new Email.Pseudonym(false);
            case "keep_domain" -> new Email.Pseudonym(true);
            default -> throw new RefusedFunctionException(call + ": the argument must be 'all' or 'keep_domain'");
        };
    }

    private static TextFunction partial(FunctionCall call) {
        call.allow(3);
        return new TextFunctions.Partial(
                call.integer(0, "characters to keep at the beginning", 0, 1_000_000),
                call.text(1, "what to put in between", "****"),
                call.has(2) ? call.integer(2, "characters to keep at the end", 0, 1_000_000) : 0);
    }

    private static TextFunction hash(FunctionCall call) {
        // A salt and an algorithm, which digest() of PostgreSQL Anonymizer takes: here the key is both.
        call.allow(2);
        boolean counted = call.has(0) && call.arguments().getFirst() instanceof FunctionCall.Numeral;
        return new TextFunctions.Hash(counted ? call.integer(0, "hexadecimal digits", 1, 128) : 64);
    }

    private static TextFunction randomString(FunctionCall call) {
        call.allow(1);
        if (call.has(0) && call.arguments().getFirst() instanceof FunctionCall.Text(String text)) {
            Interval lengths = Interval.parse(text);
            FunctionCall most = new FunctionCall(call.name(), List.of(new FunctionCall.Text(lengths.upper())));
            return new TextFunctions.RandomString(most.integer(0, "characters", 1, 1_000_000));
        }
        return new TextFunctions.RandomString(
                call.has(0) ? call.integer(0, "characters", 1, 1_000_000) : Integer.MAX_VALUE);
    }

    private static TextFunction withFormat(FunctionCall call) {
        call.allow(1);
        return new TextFunctions.WithFormat(call.text(0, "the format: D or # for a digit, X for a letter"));
    }

    private static TextFunction oneOf(FunctionCall call) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < Math.max(1, call.arguments().size()); i++) {
            texts.add(call.text(i, "a text to choose"));
        }
        return new TextFunctions.OneOf(new Dictionary(texts));
    }

    /** @param scale decimals that a drawn number has */
    static Vocabulary<NumberFunction> numbers(int scale) {
        Map<String, Entry<NumberFunction>> map = new TreeMap<>();
        map.put("pseudonym", plain(Uniqueness.PRESERVED, new NumberFunctions.Pseudonym()));
        map.put("noise", new Entry<>(Uniqueness.NOT_GUARANTEED, Vocabulary::noise));
        map.put("generalize", new Entry<>(Uniqueness.LOST, Vocabulary::step));
        map.put("random_between", new Entry<>(Uniqueness.LOST, call -> between(call, scale)));
        map.put("dummy_latitude", new Entry<>(Uniqueness.LOST, call -> degrees(90, scale)));
        map.put("dummy_longitude", new Entry<>(Uniqueness.LOST, call -> degrees(180, scale)));
        return new Vocabulary<>(map);
    }

    static NumberFunctions.Noise noise(FunctionCall call) {
        call.allow(1);
        double ratio = call.number(0, "the ratio, like 0.2").doubleValue();
        if (!(ratio > 0 && ratio <= 1000)) {
            throw new RefusedFunctionException(call + ": the ratio must be above 0 and at most 1000");
        }
        return new NumberFunctions.Noise(ratio);
    }

    private static NumberFunction step(FunctionCall call) {
        call.allow(1);
        BigDecimal step = call.number(0, "the step, like 100");
        if (step.signum() <= 0) {
            throw new RefusedFunctionException(call + ": the step must be above 0");
        }
        return new NumberFunctions.Step(step);
    }

    private static NumberFunction between(FunctionCall call, int scale) {
        call.allow(2);
        BigDecimal least;
        BigDecimal greatest;
        if (call.arguments().size() == 1 && call.arguments().getFirst() instanceof FunctionCall.Text(String text)) {
            Interval range = Interval.parse(text);
            BigDecimal unit = BigDecimal.ONE.movePointLeft(scale);
            FunctionCall bounds = new FunctionCall(
                    call.name(), List.of(new FunctionCall.Text(range.lower()), new FunctionCall.Text(range.upper())));
            least = bounds.number(0, "the lower bound").add(range.lowerIncluded() ? BigDecimal.ZERO : unit);
            greatest = bounds.number(1, "the upper bound").subtract(range.upperIncluded() ? BigDecimal.ZERO : unit);
        } else {
            least = call.number(0, "the least value");
            greatest = call.number(1, "the greatest value");
        }
        if (least.compareTo(greatest) > 0) {
            throw new RefusedFunctionException(call + ": the first number must not be above the second");
        }
        return new NumberFunctions.Between(least, greatest, scale);
    }

    private static NumberFunction degrees(int most, int scale) {
        return new NumberFunctions.Between(BigDecimal.valueOf(-most), BigDecimal.valueOf(most), scale);
    }

    static final Vocabulary<TemporalMask.TemporalFunction> TIMES = times();

    private static Vocabulary<TemporalMask.TemporalFunction> times() {
        Map<String, Entry<TemporalMask.TemporalFunction>> map = new TreeMap<>();
        map.put("noise", new Entry<>(Uniqueness.NOT_GUARANTEED, call -> {
            call.allow(1);
            return new TemporalFunctions.Noise(TemporalFunctions.interval(call.text(0, "how far, like '30 days'")));
        }));
        map.put("generalize", new Entry<>(Uniqueness.LOST, call -> {
            call.allow(1);
            return TemporalFunctions.Truncate.of(call.text(0, "a unit, like 'month'"));
        }));
        map.put("random_between", new Entry<>(Uniqueness.LOST, Vocabulary::timeBetween));
        return new Vocabulary<>(map);
    }

    static final Vocabulary<TemporalMask.TemporalFunction> TIMES_OF_DAY = timesOfDay();

    private static Vocabulary<TemporalMask.TemporalFunction> timesOfDay() {
        Map<String, Entry<TemporalMask.TemporalFunction>> map = new TreeMap<>(TIMES.entries());
        map.put("random_between", new Entry<>(Uniqueness.LOST, Vocabulary::timeOfDayBetween));
        return new Vocabulary<>(map);
    }

    private static TemporalMask.TemporalFunction timeOfDayBetween(FunctionCall call) {
        call.allow(2);
        // Times of day count from midnight, as moments do from the first day of the calendar.
        String day = TemporalFunctions.EPOCH + "T";
        var least = TemporalFunctions.parse(day + call.text(0, "the first time", "00:00:00"));
        var greatest = TemporalFunctions.parse(day + call.text(1, "the last time", "23:59:59"));
        return between(call, least, greatest);
    }

    private static TemporalMask.TemporalFunction between(
            FunctionCall call, java.time.LocalDateTime least, java.time.LocalDateTime greatest) {
        if (least.isAfter(greatest)) {
            throw new RefusedFunctionException(call + ": the first must not be after the second");
        }
        return new TemporalFunctions.Between(least, greatest);
    }

    private static TemporalMask.TemporalFunction timeBetween(FunctionCall call) {
        call.allow(2);
        if (call.arguments().size() == 1
                && call.arguments().getFirst() instanceof FunctionCall.Text(String text)
                && Interval.is(text)) {
            Interval range = Interval.parse(text);
            var first = TemporalFunctions.parse(range.lower());
            var last = TemporalFunctions.parse(range.upper());
            // A day is the least step that a date takes, and small against any range of moments.
            return between(
                    call,
                    range.lowerIncluded() ? first : first.plusDays(1),
                    range.upperIncluded() ? last : last.minusDays(1));
        }
        return between(
                call,
                TemporalFunctions.parse(call.text(0, "the first date", "1950-01-01")),
                TemporalFunctions.parse(call.text(1, "the last date", "2020-12-31")));
    }
}
