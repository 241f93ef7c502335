package dev.coppice.masking.suggest;

import dev.coppice.masking.function.ColumnTarget;
import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.MaskFunctions;
import dev.coppice.masking.function.json.JsonPath;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Guesses what a column holds. Name and values that agree are certain; values that speak against a name outweigh it. */
public final class Suggester {
    /** Fewer values say nothing against a name. */
    private static final int ENOUGH_VALUES = 5;

    /** The part of the values that must look like a kind of data for the looks alone to tell. */
    private static final double MOST = 0.8;

    /** Names are looked up in lists that have the frequent ones only. */
    private static final double SOME_NAMES = 0.25;

    /** Below this part the values speak against the name. */
    private static final double HARDLY_ANY = 0.1;

    private static final double CERTAIN = 0.98;
    private static final double BY_LOOKS = 0.9;
    private static final double BY_NAME = 0.75;
    private static final double BY_VAGUE_NAME = 0.45;
    private static final double UNLIKE = 0.3;

    /** Tables whose columns are about people. */
    private static final Pattern PEOPLE = Pattern.compile(
            "(.*_)?(customer|client|user|person|people|employee|staff|patient|contact|member"
                    + "|student|teacher|subscriber|guest|lead|applicant|candidate|driver|passenger|donor|profile|participant|attendee)(s|_.*)?");

    private Suggester() {}

    /** What the column probably holds; empty if nothing personal is seen. */
    public static Optional<Suggestion> suggest(SampledColumn column) {
        @Nullable Guess best = null;
        for (Category category : Category.values()) {
            Guess guess = guess(category, column);
            if (guess != null && (best == null || guess.confidence() > best.confidence())) {
                best = guess;
            }
        }
        if (best == null) {
            return Optional.empty();
        }
        Category category = best.category();
        return Optional.of(
                new Suggestion(column, category, best.confidence(), function(category, column), best.reason()));
    }

    private record Guess(Category category, double confidence, String reason) {}

    private static @Nullable Guess guess(Category category, SampledColumn column) {
        DataType type = column.path() == null ? column.type() : DataType.of(ScalarType.TEXT);
        if (!category.canBe(type) && !(column.path() != null && category == Category.BIRTH_DATE)) {
            return null;
        }
        String name = snakeCase(column.name());
        boolean named = isNamed(category, name, snakeCase(column.table()));
        List<String> values = column.values();
        long alike = values.stream().filter(category::looksLike).count();
        double part = values.isEmpty() ? 0 : (double) alike / values.size();
        String seen = alike + " of " + values.size() + " sampled values look like it";
        double needed = isOfNames(category) ? SOME_NAMES : MOST;
        if (named && category.hasLooks() && part >= needed && !values.isEmpty()) {
            return new Guess(category, CERTAIN, "it is called so, and " + seen);
        }
        if (named && (isTyped(category, type) || category == Category.BIRTH_DATE)) {
            return new Guess(category, CERTAIN, "it is called so, and its type is " + type.name());
        }
        if (named) {
            boolean against = category.hasLooks()
                    && category != Category.SECRET
                    && category != Category.FREE_TEXT
                    && !isOfNames(category)
                    && values.size() >= ENOUGH_VALUES
                    && part < HARDLY_ANY;
            double byName = isVague(category) ? BY_VAGUE_NAME : BY_NAME;
            return new Guess(
                    category,
                    against ? UNLIKE : byName,
                    against ? "it is called so, but only " + seen : "it is called so");
        }
        if (isTyped(category, type)) {
            return new Guess(category, BY_NAME, "its type is " + type.name());
        }
        if (values.size() < ENOUGH_VALUES) {
            return null;
        }
        if (category.isUnmistakable() && part >= MOST) {
            return new Guess(category, BY_LOOKS, seen);
        }
        boolean names = (category == Category.NAME || category == Category.FIRST_NAME) && part >= MOST;
        boolean mentions = category == Category.FREE_TEXT && alike > 0;
        return names || mentions ? new Guess(category, BY_NAME, seen) : null;
    }

    private static boolean isNamed(Category category, String name, String table) {
        boolean ofPerson = category == Category.NAME
                && name.equals("name")
                && PEOPLE.matcher(table).matches();
        return ofPerson || category.isNamed(name);
    }

    private static boolean isOfNames(Category category) {
        return category == Category.FIRST_NAME || category == Category.LAST_NAME || category == Category.NAME;
    }

    private static boolean isVague(Category category) {
        return category == Category.FREE_TEXT || category == Category.COORDINATE;
    }

    /** Whether nothing but this kind of data has such a type. */
    private static boolean isTyped(Category category, DataType type) {
        return type instanceof DataType.Scalar(ScalarType scalar)
                && switch (category) {
                    case IP_ADDRESS -> scalar.family() == ScalarType.Family.NETWORK;
                    case MAC_ADDRESS -> scalar.family() == ScalarType.Family.MAC_ADDRESS;
                    default -> false;
                };
    }

    /** {@code billingPostalCode} and {@code Billing-Postal-Code} as {@code billing_postal_code}. */
    static String snakeCase(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2")
                .replaceAll("[^A-Za-z0-9]+", "_")
                .toLowerCase(Locale.ROOT);
    }

    private static @Nullable String function(Category category, SampledColumn column) {
        ColumnTarget target = new ColumnTarget(column.column(), column.type(), column.typeModifier());
        return category.functions(column.distinct()).stream()
                .filter(call -> fits(call, column, target))
                .findFirst()
                .orElse(null);
    }

    private static boolean fits(String function, SampledColumn column, ColumnTarget target) {
        try {
            FunctionCall call = FunctionCall.parse(function);
            Uniqueness uniqueness = column.path() == null
                    ? MaskFunctions.bind(call, target).uniqueness()
                    : MaskFunctions.bindPaths(
                                    List.of(new MaskFunctions.PathCall(JsonPath.parse(column.path()), call)), target)
                            .uniqueness();
            return !column.distinct() || uniqueness == Uniqueness.PRESERVED;
        } catch (RefusedFunctionException notForThisType) {
            return false;
        }
    }
}
