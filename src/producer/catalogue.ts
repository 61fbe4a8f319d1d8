import type { Faker } from '@faker-js/faker';
// All locales together take half a second to load.
import { faker } from '@faker-js/faker/locale/en';
import { categories, devices, thresholds } from '../datasets/events.ts';
import { createRandom, createWeighted, createZipf, type Random } from './random.ts';

/*
 * What the shop and its visitors are: it depends on the seed alone, so two runs with one seed sell
 * the same products to the same people, whenever they run.
 */

export type Product = {
  readonly id: string;
  readonly name: string;
  readonly category: (typeof categories)[number];
  readonly price: number;
};

export type User = {
  readonly id: string;
  readonly device: (typeof devices)[number];
  readonly location: string;
  /** An old client, which says `view` and `cart`. */
  readonly saysShort: boolean;
};

export type Catalogue = {
  /** Few products and few users make most of the traffic. */
  readonly drawProduct: (random: Random) => Product;
  readonly drawUser: (random: Random) => User;
  readonly drawQuery: (random: Random) => string;
  readonly drawPage: (random: Random) => string;
};

const productCount = 1_200;
const userCount = 20_000;
const queryCount = 300;
const pageCount = 150;

/** How many of 100 products there are, what they cost in the middle, and what they are. */
const shelves: Record<
  Product['category'],
  readonly [number, number, readonly [string, ...string[]]]
> = {
  Electronics: [24, 180, ['Headphones', 'Monitor', 'Keyboard', 'Charger', 'Speaker', 'Camera']],
  Clothing: [20, 38, ['Jacket', 'Shirt', 'Jeans', 'Sweater', 'Shoes', 'Hat']],
  Home: [15, 45, ['Lamp', 'Chair', 'Table', 'Blanket', 'Shelf', 'Mirror']],
  Books: [13, 16, ['Novel', 'Atlas', 'Guide', 'Biography']],
  Beauty: [10, 22, ['Cream', 'Soap', 'Perfume', 'Brush']],
  Sports: [8, 60, ['Bicycle', 'Ball', 'Gloves', 'Racket', 'Mat', 'Tent']],
  Toys: [6, 24, ['Puzzle', 'Robot', 'Doll', 'Blocks', 'Kite']],
  Grocery: [4, 7, ['Coffee', 'Tea', 'Olive Oil', 'Honey', 'Chocolate']],
};

const homeCountries = ['US', 'DE', 'GB', 'FR', 'IN', 'BR', 'CA', 'JP', 'NL', 'ES', 'AU', 'SE'];
const otherCountries = 20;

/** The same in every catalogue, and long. */
let userRank: ReturnType<typeof createZipf> | undefined;

export function createCatalogue(seed: number): Catalogue {
  // Shared with everyone in the process, so a catalogue is made at once after this, without a pause.
  faker.seed(seed);
  const random = createRandom(`catalogue|${seed}`);
  const products = createProducts(faker, random);
  const queries = many(queryCount, () => createQuery(faker, random));
  const pages = ['/', '/pricing', '/login', ...many(pageCount, () => createPage(faker, random))];
  const countries = [...homeCountries, ...many(otherCountries, () => faker.location.countryCode())];

  const productRank = createZipf(products.length, 1);
  userRank ??= createZipf(userCount, 0.8);
  const drawRank = userRank;
  const queryRank = createZipf(queries.length, 0.9);
  const pageRank = createZipf(pages.length, 1);
  const createUser = userMaker(seed, countries);
  const at = <T>(items: readonly T[], index: number): T => items[index] as T;
  return {
    drawProduct: (draw) => at(products, productRank(draw)),
    drawUser: (draw) => createUser(drawRank(draw)),
    drawQuery: (draw) => at(queries, queryRank(draw)),
    drawPage: (draw) => at(pages, pageRank(draw)),
  };
}

/** Ordered from the most to the least popular; ids do not tell the rank. */
function createProducts(faker: Faker, random: Random): readonly Product[] {
  const drawCategory = createWeighted(categories.map((category) => shelves[category][0]));
  return many(productCount, (rank) => {
    const category = categories[drawCategory(random)] ?? categories[0];
    const [, middle, nouns] = shelves[category];
    const price = middle * Math.exp(0.7 * random.normal());
    const bounded = Math.min(thresholds.price_max, Math.max(thresholds.price_min, price));
    return {
      // 7,919 and 100,003 are primes, so no two ranks meet.
      id: `P${String((rank * 7_919 + 17) % 100_003).padStart(6, '0')}`,
      name: category === 'Books' ? faker.book.title() : productName(faker, random.pick(nouns)),
      category,
      price: Math.round(bounded * 100) / 100,
    };
  });
}

function productName(faker: Faker, noun: string): string {
  return `${faker.commerce.productAdjective()} ${faker.commerce.productMaterial()} ${noun}`;
}

function createQuery(faker: Faker, random: Random): string {
  const [, , nouns] = shelves[random.pick(categories)];
  const noun = random.pick(nouns);
  const words = [faker.commerce.productAdjective(), faker.commerce.productMaterial(), noun];
  return words.slice(random.below(words.length)).join(' ').toLowerCase();
}

function createPage(faker: Faker, random: Random): string {
  return `/${random.pick(['blog', 'docs', 'help', 'news'])}/${faker.lorem.slug(3)}`;
}

/** A user is made again from its number each time, so that none has to be kept. */
function userMaker(seed: number, countries: readonly string[]): (index: number) => User {
  const drawDevice = createWeighted([38, 54, 8]);
  const drawCountry = createZipf(countries.length, 1.2);
  return (index) => {
    const random = createRandom(`user|${seed}|${index}`);
    return {
      id: `user-${String((index * 7_919 + 101) % 100_003).padStart(6, '0')}`,
      device: devices[drawDevice(random)] ?? devices[0],
      location: countries[drawCountry(random)] ?? 'US',
      saysShort: random.chance(0.15),
    };
  };
}

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
