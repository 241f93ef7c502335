package dev.coppice.masking.function;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What functions are called: here, at PostgreSQL Anonymizer, and those that cannot be had. */
final class FunctionNames {
    /** Names that users know from PostgreSQL Anonymizer, and what they are called here. */
    private static final Map<String, String> ALIASES = aliases(Map.ofEntries(
            Map.entry("blank", "default"),
            Map.entry("dummy_buzzword", "dummy_buzzword_middle dummy_buzzword_tail"),
            Map.entry("dummy_city", "dummy_city_name"),
            Map.entry("dummy_company_name", "dummy_company"),
            Map.entry("dummy_country_name", "dummy_country"),
            Map.entry("dummy_credit_card_number", "dummy_credit_card"),
            Map.entry("dummy_email", "dummy_safe_email random_email"),
            Map.entry("dummy_ipv4", "dummy_ip"),
            Map.entry("dummy_mac_address", "dummy_mac"),
            Map.entry("dummy_phone_number", "dummy_cell_number dummy_phone random_phone"),
            Map.entry("dummy_state_name", "dummy_region"),
            Map.entry("dummy_status_code", "dummy_rfc_status_code dummy_valid_statux_code"),
            Map.entry("dummy_street_address", "dummy_address dummy_street"),
            Map.entry("dummy_user_name", "dummy_username"),
            Map.entry("dummy_uuid", "dummy_uuidv1 dummy_uuidv3 dummy_uuidv4 dummy_uuidv5"),
            Map.entry("dummy_word", "dummy_bs_adj dummy_bs_noun dummy_bs_verb"),
            Map.entry("dummy_words", "dummy_bs dummy_catch_phrase dummy_catchphrase words"),
            Map.entry("dummy_zip_code", "dummy_post_code dummy_postal_code dummy_postcode dummy_zip random_zip"),
            Map.entry("hash", "digest random_hash"),
            Map.entry("keep", "not_masked"),
            Map.entry("noise", "dnoise"),
            Map.entry(
                    "pseudonym",
                    "dummy_bic dummy_building_number dummy_currency_symbol dummy_dir_path dummy_file_name dummy_file_path "
                            + "dummy_health_insurance_code dummy_hex_color dummy_hsl_color dummy_hsla_color dummy_isbn dummy_isbn10 "
                            + "dummy_isbn13 dummy_isin dummy_licence_plate dummy_rgb_color dummy_rgba_color dummy_secondary_address "
                            + "dummy_secondary_address_type dummy_siren dummy_siret pseudonymize"),
            Map.entry("pseudonym_email", "unique_email"),
            Map.entry(
                    "random_between",
                    "random_bigint_between random_date random_date_between random_double_precision random_in_daterange "
                            + "random_in_int4range random_in_int8range random_in_numrange random_in_tsrange random_in_tstzrange "
                            + "random_int_between random_number_between random_real random_time random_timestamp "
                            + "random_timestamp_between"),
            Map.entry("random_with_format", "random_number_with_format random_phone_with_format"),
            Map.entry("value", "constant")));

    /** Functions of PostgreSQL Anonymizer that cannot be had on the way of a page, and what can be done instead. */
    private static final Map<String, String> ELSEWHERE = Map.ofEntries(
            Map.entry("ternary", "give the column a rule with a condition (when) for each case"),
            Map.entry("concat", "give the column the function that fits best, or update the branch by SQL"),
            Map.entry(
                    "shuffle_column",
                    "it needs the other rows of the table: use pseudonym(), or update the branch by SQL"),
            Map.entry("add_noise_on_numeric_column", "use noise(ratio) as the function of the column"),
            Map.entry("add_noise_on_datetime_column", "use noise('30 days') as the function of the column"),
            Map.entry("k_anonymity", "it measures and masks nothing: run it by SQL in the branch"),
            Map.entry("ldp_grrm", "use random_between() or random_in()"),
            Map.entry("image_blur", "use blank() or pseudonym()"),
            Map.entry("random_id", "it draws from a sequence: use pseudonym(), which keeps distinct values distinct"),
            Map.entry(
                    "random_id_int", "it draws from a sequence: use pseudonym(), which keeps distinct values distinct"),
            Map.entry(
                    "random_id_smallint",
                    "it draws from a sequence: use pseudonym(), which keeps distinct values distinct"),
            Map.entry("generalize_int4range", "it changes the column's type: use generalize(step)"),
            Map.entry("generalize_int8range", "it changes the column's type: use generalize(step)"),
            Map.entry("generalize_numrange", "it changes the column's type: use generalize(step)"),
            Map.entry("generalize_daterange", "it changes the column's type: use generalize('month')"),
            Map.entry("generalize_tsrange", "it changes the column's type: use generalize('month')"),
            Map.entry("generalize_tstzrange", "it changes the column's type: use generalize('month')"));

    private static final List<String> PREFIXES_OF_DUMMY = List.of("fake_", "pseudo_", "seeded_");

    /** Functions that are no entries of a vocabulary: for every type, or for some types that have no other. */
    private static final Set<String> BESIDES =
            Set.of("null", "blank", "value", "keep", "random_bool", "random_in_enum");

    private FunctionNames() {}

    private static Map<String, String> aliases(Map<String, String> byTarget) {
        Map<String, String> aliases = new TreeMap<>();
        byTarget.forEach((target, names) -> {
            for (String name : names.split(" ")) {
                aliases.put(name, target);
            }
        });
        return Map.copyOf(aliases);
    }

    /** Every function there is, by its own name. */
    static Set<String> all() {
        Set<String> names = new TreeSet<>(BESIDES);
        names.addAll(Vocabulary.TEXT.entries().keySet());
        names.addAll(Vocabulary.numbers(0).entries().keySet());
        names.addAll(Vocabulary.TIMES.entries().keySet());
        return names;
    }

    /** Other names for them: of PostgreSQL Anonymizer, after {@code fake_}, {@code pseudo_} and {@code seeded_} became {@code dummy_}. */
    static Map<String, String> aliases() {
        return ALIASES;
    }

    /** Functions that are refused by name, with what to do instead. */
    static Map<String, String> elsewhere() {
        return ELSEWHERE;
    }

    /** The name that a function has here. */
    static String canonical(String name) {
        String dummy = name.endsWith("_locale") ? name.substring(0, name.length() - "_locale".length()) : name;
        for (String prefix : PREFIXES_OF_DUMMY) {
            if (dummy.startsWith(prefix)) {
                dummy = "dummy_" + dummy.substring(prefix.length());
            }
        }
        return ALIASES.getOrDefault(dummy, dummy);
    }

    /** PostgreSQL Anonymizer's functions without arguments for numbers draw from 0 to 1. */
    static FunctionCall withDefaults(FunctionCall call) {
        boolean drawn =
                call.name().equals("random_double_precision") || call.name().equals("random_real");
        return drawn && call.arguments().isEmpty()
                ? new FunctionCall(
                        "random_between",
                        List.of(new FunctionCall.Numeral(BigDecimal.ZERO), new FunctionCall.Numeral(BigDecimal.ONE)))
                : call;
    }
}
