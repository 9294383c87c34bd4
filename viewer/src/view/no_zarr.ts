/** Stands for the Zarr reader that NiiVue would bundle: the viewer never opens a Zarr store. */

const refuse = (): never => {
  throw new Error("Zarr stores cannot be opened here.");
};

export const root = refuse;
export const open = refuse;
export const get = refuse;
export const slice = refuse;
export class FetchStore {
  constructor() {
    refuse();
  }
}
