import type { Catalogue, Product } from './catalogue.ts';
import type { Random } from './random.ts';

/** What a visitor does next. */
export type Step =
  | { readonly kind: 'page'; readonly pageUrl: string }
  | { readonly kind: 'view'; readonly product: Product }
  | { readonly kind: 'search'; readonly query: string }
  | {
      readonly kind: 'cart' | 'purchase';
      readonly product: Product;
      /** `null`: the client says nothing, which means one. */
      readonly quantity: number | null;
    };

export type Visit = Iterator<Step, void>;

export type VisitSetting = { readonly random: Random; readonly catalogue: Catalogue };

/** Chances of the funnel: of 100 product views about 12 become carts, of 100 carts about 38 sales. */
const cartAfterView = 0.125;
const purchaseAfterCart = 0.385;
const goesOn = 0.78;

/** One visit to the shop: looking around leads to carts, and carts to purchases, in that order. */
export function* visitShop({ random, catalogue }: VisitSetting): Generator<Step, void> {
  if (random.chance(0.25)) yield { kind: 'page', pageUrl: '/' };
  if (random.chance(0.2)) yield { kind: 'search', query: catalogue.drawQuery(random) };
  do {
    const product = catalogue.drawProduct(random);
    yield { kind: 'view', product };
    if (random.chance(cartAfterView)) {
      const quantity = drawQuantity(random);
      yield { kind: 'cart', product, quantity };
      if (random.chance(purchaseAfterCart)) yield { kind: 'purchase', product, quantity };
    }
    if (random.chance(0.16)) yield { kind: 'search', query: catalogue.drawQuery(random) };
  } while (random.chance(goesOn));
}

/** One visit to the pages around the shop: views and searches without a product. */
export function* visitPages({ random, catalogue }: VisitSetting): Generator<Step, void> {
  do {
    if (random.chance(0.22)) yield { kind: 'search', query: catalogue.drawQuery(random) };
    yield { kind: 'page', pageUrl: catalogue.drawPage(random) };
  } while (random.chance(goesOn));
}

function drawQuantity(random: Random): number | null {
  if (random.chance(0.15)) return null;
  let quantity = 1;
  while (quantity < 12 && random.chance(0.22)) quantity += 1;
  return quantity;
}
